"""What DNS says of the sender's domain: SPF (RFC 7208) and DMARC (RFC 7489).

Large mailbox providers refuse or hide mail of domains that lack them. Receivers ask for the same
records; DKIM's cannot be looked up, since only the mail server knows the selector's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

PATIENCE = 4.0
"""Seconds for one question."""
_RESERVED = ("example", "invalid", "localhost", "test", "example.com", "example.net", "example.org")
"""Names that no DNS server can answer for (RFC 2606, RFC 6761)."""


async def find_records(domain: str, resolver: Resolver | None = None) -> list[Finding]:
    """Check both records of a domain.

    Args:
        domain: what stands behind the sender's `@`.
        resolver: whom to ask; `None` asks the system's resolver.
    """
    if "." not in domain or any(f".{domain}".endswith(f".{name}") for name in _RESERVED):
        text = Text("%(domain)s is a name without DNS records", domain=domain)
        return [Finding("skip", "dns", text)]
    try:
        # An extra, and slow to import.
        from dns.asyncresolver import Resolver
        from dns.exception import DNSException
        from dns.resolver import NXDOMAIN
    except ImportError:
        text = Text("SPF and DMARC need dnspython: pip install 'pwless-middleware[check]'")
        return [Finding("skip", "dns", text)]
    try:
        resolver = resolver or Resolver()
        return [await _find_spf(domain, resolver), await _find_dmarc(domain, resolver)]
    except NXDOMAIN:
        text = Text(
            "%(domain)s is not in DNS, as seen from here: who takes its mail?", domain=domain
        )
        return [Finding("warn", "dns", text)]
    except (DNSException, OSError) as error:
        text = Text("DNS does not answer here: %(error)s", error=type(error).__name__)
        return [Finding("skip", "dns", text)]


async def _texts(name: str, resolver: Resolver, version: str) -> list[str]:
    """Return the TXT records of a name that begin with a version tag."""
    answer = await resolver.resolve(name, "TXT", lifetime=PATIENCE, raise_on_no_answer=False)
    texts = [b"".join(record.strings).decode("latin-1") for record in answer]
    return [text for text in texts if text.lower().split(";")[0].split(" ")[0] == version]


async def _find_spf(domain: str, resolver: Resolver) -> Finding:
    found = await _texts(domain, resolver, "v=spf1")
    if not found:
        text = Text(
            "%(domain)s has no SPF record: its emails may pass for spam (RFC 7208)", domain=domain
        )
        return Finding("warn", "spf", text)
    if len(found) > 1:
        text = Text(
            "%(domain)s has %(count)s SPF records, which is an error (§4.5): keep one",
            domain=domain,
            count=len(found),
        )
        return Finding("fail", "spf", text)
    terms = found[0].lower().split()
    if "+all" in terms or "all" in terms:
        text = Text("%(domain)s lets anybody send in its name (+all): end in ~all", domain=domain)
        return Finding("fail", "spf", text)
    text = Text("%(domain)s has one; see that it names your mail server", domain=domain)
    return Finding("ok", "spf", text)


async def _find_dmarc(domain: str, resolver: Resolver) -> Finding:
    from dns.resolver import NXDOMAIN

    labels = domain.split(".")
    # Receivers fall back to the organisation's domain; which of the parents that is they know from
    # a public list, so that any parent's record counts here.
    for name in (".".join(labels[i:]) for i in range(len(labels) - 1)):
        try:
            found = await _texts(f"_dmarc.{name}", resolver, "v=dmarc1")
        except NXDOMAIN:
            continue
        if len(found) > 1:
            text = Text(
                "%(domain)s has %(count)s DMARC records: keep one", domain=name, count=len(found)
            )
            return Finding("fail", "dmarc", text)
        if found:
            tags = found[0].replace(" ", "").lower().split(";")
            if "p=none" in tags:
                text = Text(
                    "%(domain)s asks for no action (p=none): set p=quarantine or more", domain=name
                )
                return Finding("warn", "dmarc", text)
            return Finding("ok", "dmarc", Text("%(domain)s has one", domain=name))
    text = Text(
        "%(domain)s has no DMARC record: anybody can write in its name (RFC 7489)", domain=domain
    )
    return Finding("warn", "dmarc", text)

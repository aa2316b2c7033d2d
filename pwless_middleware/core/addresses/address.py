"""The one canonical email address (security rule 3).

An address is made canonical once, before anything else looks at it, and everything after that
(challenge, limits, session, mail) uses the canonical form only. The grammar is the part of RFC 5321
§4.1.2 that real mailboxes use: an ASCII dot-atom, `@`, a domain of LDH labels (RFC 5890 §2.3.1).
A domain in its own script becomes its `xn--` form, as browsers write it (UTS #46,
non-transitional), where the package `idna` is installed; the standard library's codec knows IDNA
2003 only, and would mail `straße.de` to `strasse.de`.

What the full grammar allows beyond that has opened doors elsewhere: quotes and comments hide a
second address, `%` and `!` are source routes, `=?` is decoded by some mailers, a second `@` or a
list separator adds a recipient.
"""

from __future__ import annotations

import re
from typing import NewType

Address = NewType("Address", str)
"""A canonical address: lower-case ASCII, 3 to 254 characters, exactly one `@`."""

# RFC 5322 atext without `%` and `!` (source routes).
_ATOM = r"[a-z0-9#$&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label is no number, decimal (RFC 3696 §2) or hexadecimal (WHATWG URL §3.5, "ends in a
# number"), so that no IP address passes as a name: resolvers read `127.0.0.0x1` as one.
_NUMBER = r"(?:\d+|0x[0-9a-f]*)\Z"
_GRAMMAR = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+(?!{_NUMBER}){_LABEL}")

_BEGINNING = re.compile(r"[a-z0-9#$&'*+/=?^_`{|}~.@-]{0,254}")

# One provider under two names, which delivers `j.doe` and `jdoe` to one mailbox; only limits care.
_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def parse_address(text: str) -> Address | None:
    """Make an address canonical: outer spaces trimmed, lower-cased, checked by the grammar.

    Returns:
        The canonical address, or `None` if the text is not one address of our grammar (RFC 5321
        §4.5.3.1: local part at most 64, RFC 3696 erratum 1690: whole at most 254 characters), or
        its domain is international and `idna` is not installed (extra `[idn]`).
    """
    text = text.strip(" ")
    if not text.isascii() and len(text) <= 254:
        local, _, domain = text.rpartition("@")
        text = f"{local}@{_ascii_domain(domain)}"
    if not text.isascii() or not 3 <= len(text) <= 254:
        return None
    text = text.lower()
    if not _GRAMMAR.fullmatch(text) or "=?" in text or text.index("@") > 64:
        return None
    return Address(text)


# What UTS #46 §4 reads as a dot, from keyboards that have another one.
_DOTS = re.compile("[.\u3002\uff0e\uff61]")


def _ascii_domain(domain: str) -> str:
    """Return the `xn--` form of an international domain; a label that has none comes out empty.

    A label of other characters that would become a plain ASCII one (`\u212aelvin`, an invisible
    character within) is none: that is a second spelling, not a name in its own script.
    """
    try:
        import idna
    except ImportError:
        return ""
    labels = []
    for label in _DOTS.split(domain):
        if not label.isascii():
            try:
                label = idna.encode(label, uts46=True, std3_rules=True).decode()
            except UnicodeError:  # idna.IDNAError is one
                label = ""
            if not label.startswith("xn--"):
                label = ""
        labels.append(label)
    return ".".join(labels)


def parse_prefix(text: str) -> str | None:
    """Return how an address begins, as addresses are kept: outer spaces trimmed, lower-cased.

    Returns:
        A whole address in canonical form; or `None` where no address begins so.
    """
    whole = parse_address(text)
    if whole is not None:
        return whole
    text = text.strip(" ").lower()
    return text if _BEGINNING.fullmatch(text) and text.count("@") <= 1 else None


def domain_of(address: Address) -> str:
    """Return the part behind the `@`."""
    return address.rpartition("@")[2]


def fold_mailbox(address: Address) -> str:
    """Return the mailbox that the address most likely reaches, for limits and nothing else.

    `+tag` is dropped, and dots where the provider ignores them, so that one inbox cannot be filled
    under a hundred spellings. Never use it for identity: two accounts must not merge by a guess.
    """
    local, _, domain = address.rpartition("@")
    local = local.partition("+")[0] or local
    if domain in _GMAIL:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def matches(address: Address, allow: tuple[str, ...]) -> bool:
    """Whether an address is on a list of `*`, `*@domain`, `*@*.domain` and whole addresses."""
    domain = domain_of(address)
    if "*" in allow or address in allow or f"*@{domain}" in allow:
        return True
    return any(one.startswith("*@*.") and domain.endswith(one[3:]) for one in allow)


def covers(allow: tuple[str, ...], entry: str) -> bool:
    """Whether a list serves everybody whom an entry of another list does; both canonical."""
    if "*" in allow or entry in allow:
        return True
    if entry.startswith("*@*."):
        return any(one.startswith("*@*.") and entry[3:].endswith(one[3:]) for one in allow)
    return entry != "*" and matches(Address(entry), allow)


def parse_pattern(text: str) -> str | None:
    """Return an entry of an allow list in canonical form, or `None` if it is none.

    See `matches` for the kinds of entries.
    """
    text = text.strip(" ")
    for wildcard in ("*@*.", "*@"):
        if text.startswith(wildcard):
            domain = text.removeprefix(wildcard)
            address = parse_address(f"x@{domain}")
            return None if address is None else wildcard + domain_of(address)
    if text == "*":
        return text
    # `jo*@acme.example` is an address by the grammar, and surely meant as a pattern.
    return None if "*" in text else parse_address(text)

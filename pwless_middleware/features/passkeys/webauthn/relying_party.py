"""The relying party: the host that passkeys belong to, and the origins that may use them.

Both come from configuration alone (security rules 7 and 31). A browser gives a passkey only to
pages whose host is the relying party id or below it, and to pages of the origins that
`/.well-known/webauthn` of that host lists (WebAuthn Level 3 §5.1.2 and §5.11). An Android app has
an origin of its own, made of the certificate that signs it; an iOS app has that of the host with
which it is associated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from ipaddress import ip_address
from typing import Final

from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.options.options import check_texts
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.routing.origin import Origin, is_local, parse_origin

ANDROID: Final = "android:apk-key-hash:"
"""What an Android app's origin begins with; behind it is the SHA-256 of its certificate."""

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


class RelyingParty:
    """Who we are to an authenticator.

    Args:
        id: the relying party id, a host without a port.
        origins: exactly as browsers and apps write them; our own is the first.

    Attributes:
        id: the same.
        id_hash: its SHA-256, which an authenticator signs.
        origins: the same.
        related_origins: those of them that are pages on hosts outside of the relying party id: what
            `/.well-known/webauthn` has to list.
    """

    def __init__(self, id: str, origins: Sequence[str]) -> None:
        self.id = id
        self.id_hash = sha256(id.encode()).digest()
        self.origins = tuple(origins)
        self.related_origins = tuple(
            origin
            for origin in self.origins
            if not origin.startswith(ANDROID) and not _is_within(_host_of(origin), id)
        )

    @classmethod
    def of(
        cls, origin: Origin, *, rp_id: str | None = None, origins: Sequence[str] = ()
    ) -> RelyingParty:
        """Make it of what a host has configured.

        Args:
            origin: ours.
            rp_id: the host of `base_url`, or a domain above it; `None` (default) is that host
                without `www.`.
            origins: further origins: pages (`https://shop.example.com`, on this machine `http` as
                well), and Android apps (`android:apk-key-hash:…`).

        Raises:
            ConfigError: one of them is something else, or browsers would not take it.
        """
        host = _host_of(origin.origin)
        if _is_address(host):
            raise ConfigError(
                "base_url",
                f"passkeys belong to a name, and {host} is an address: set a name, on this machine "
                "http://localhost:8000",
            )
        if not origin.is_secure and not origin.is_development:
            raise ConfigError(
                "base_url", "browsers have passkeys over https only, or on localhost: set https"
            )
        if not _NAME.fullmatch(host):
            raise ConfigError("base_url", f"{host} is no host name that passkeys can belong to")
        own = _without_www(host) if rp_id is None else _read_id(rp_id, host)
        check_texts("origins", origins, example="['https://shop.example.com']")
        further = (_read_origin(text) for text in origins)
        return cls(own, tuple(dict.fromkeys((origin.origin, *further))))


def _read_id(rp_id: object, host: str) -> str:
    """Return the option `rp_id`, if browsers take it from pages on a host (§5.1.2)."""
    if not isinstance(rp_id, str) or not _NAME.fullmatch(rp_id):
        raise ConfigError(
            "rp_id", "set a host in lower case, without scheme or port, e.g. 'example.com'"
        )
    if not _is_within(host, rp_id):
        raise ConfigError("rp_id", f"set the host of base_url, {host}, or a domain above it")
    if "." not in rp_id and rp_id not in (host, "localhost"):
        raise ConfigError("rp_id", f"{rp_id} is a top-level domain, whose hosts are not all yours")
    return rp_id


def _read_origin(text: str) -> str:
    """Return one of the option `origins`."""
    if text.startswith(ANDROID):
        digest = unb64(text.removeprefix(ANDROID))
        if digest is None or len(digest) != sha256().digest_size:
            raise ConfigError(
                "origins",
                f"{text[:80]!r}: behind {ANDROID} stand 43 characters, the base64url of the "
                "SHA-256 of the certificate that signs the app",
            )
        return text
    if not text.startswith(("https://", "http://")):
        raise ConfigError(
            "origins",
            f"{text[:80]!r} is no origin: set https://host for pages and for iOS apps, {ANDROID}… "
            "for Android apps",
        )
    origin = parse_origin(text, "origins")
    host = _host_of(origin)
    if _is_address(host) or not _NAME.fullmatch(host):
        raise ConfigError("origins", f"{text[:80]!r} has no host name, which passkeys belong to")
    if origin.startswith("http://") and not is_local(host):
        raise ConfigError("origins", f"{text[:80]!r}: http is for localhost only; set https")
    return origin


def _host_of(origin: str) -> str:
    """Return the host of an origin, without its port."""
    return re.sub(r":\d+\Z", "", origin.partition("://")[2])


def _without_www(host: str) -> str:
    """Return a host without its `www.`, unless that leaves a top-level domain."""
    short = host.removeprefix("www.")
    return short if "." in short else host


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _is_address(host: str) -> bool:
    """Whether it is an IP address, also one in a spelling that browsers take for one.

    A host whose last label is a number is an IPv4 address to them (WHATWG URL, "ends in a number").
    """
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rpartition(".")[2]):
        return True
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True

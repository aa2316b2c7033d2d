"""Read an address that somebody typed: strictly, and once, so that no two readers can differ."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import AddressRefused
from pwless_middleware.safe_http.public_addresses import IPAddress, is_loopback

MOST_CHARACTERS: Final = 2000

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(/[\x21\x24-\x5b\x5d-\x7e]*)?(\?[\x21\x24-\x5b\x5d-\x7e]*)?)",
    re.IGNORECASE,
)
"""No user, fragment, backslash, quote, space or control character (a `%2F` is left as it is)."""
_NAME: Final = re.compile(r"(?!.*\.\.)[a-z0-9_]([a-z0-9._-]*[a-z0-9])?\.?")
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class SafeURL:
    """An address that a request may go to, as far as its text says.

    Attributes:
        scheme: `https`; `http` for this machine only.
        host: a name in lower case, or a literal address without brackets.
        port: of TCP.
        target: path and query; `/` at least.
        ip: the literal address; `None` for a name.
    """

    scheme: str
    host: str
    port: int
    target: str
    ip: IPAddress | None

    @property
    def authority(self) -> str:
        """What the `Host` header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, ip: IPAddress) -> str:
        """Return the URL with an address in the place of its name."""
        host = f"[{ip}]" if ip.version == 6 else str(ip)
        return f"{self.scheme}://{host}:{self.port}{self.target}"


def read_url(text: str, *, allow_loopback: bool = False) -> SafeURL:
    """Return what an address says.

    Args:
        text: as it was typed; ASCII, a name in its own script as `xn--`.
        allow_loopback: whether it may be this machine's, and then by `http` too.

    Raises:
        AddressRefused: it is malformed, too long, not https, or has a user, a fragment or a port
            below 1024 that is not 443, which belongs to another protocol.
    """
    if len(text) > MOST_CHARACTERS:
        raise AddressRefused("too_long")
    found = _URL.fullmatch(text)
    if found is None:
        raise AddressRefused("malformed" if re.match("https?://", text, re.I) else "scheme")
    scheme, host = found["scheme"].lower(), found["host"].lower()
    ip = _read_literal(host)
    if ip is None and not _NAME.fullmatch(host):
        raise AddressRefused("malformed")
    port = int(found["port"] or _PORTS[scheme])
    is_here = allow_loopback and (host == "localhost" if ip is None else is_loopback(ip))
    if scheme != "https" and not is_here:
        raise AddressRefused("scheme")
    if not (port == 443 or 1024 <= port <= 65535 or (is_here and port > 0)):
        raise AddressRefused("port")
    target = found["target"]
    target = target if target.startswith("/") else f"/{target}"
    return SafeURL(scheme, str(ip) if ip is not None else host, port, target, ip)


def _read_literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        if host.startswith("["):
            raise AddressRefused("malformed") from None
        return None

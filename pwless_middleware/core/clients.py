"""Who knocks: a client's address as the limits count it (SECURITY rule 7).

One IPv6 customer owns at least a /64 (RFC 6177 §2), so a single address means nothing there; and
often a /48, which therefore counts too, at ten times the number.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Client:
    """Name a client for the limits.

    Attributes:
        network: the IPv4 address, or the IPv6 /64, as text.
        wide: the IPv6 /48 as text; `None` for IPv4.
    """

    network: str
    wide: str | None = None

    @classmethod
    def at(cls, ip: IpAddress) -> Client:
        """Name the client at an address; an IPv4 address mapped into IPv6 is the IPv4 one."""
        if isinstance(ip, ipaddress.IPv6Address):
            if ip.ipv4_mapped is None:
                narrow = ipaddress.IPv6Network((int(ip), 64), strict=False)
                wide = ipaddress.IPv6Network((int(ip), 48), strict=False)
                return cls(str(narrow), str(wide))
            ip = ip.ipv4_mapped
        return cls(str(ip))


def parse_ip(text: str) -> IpAddress | None:
    """Read an address as proxies write it: bare, `[v6]`, `v4:port`, `[v6]:port`; else `None`."""
    text = text.strip(" \t")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None

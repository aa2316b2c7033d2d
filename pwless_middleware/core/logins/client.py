"""A client's address as the limits count it (security rule 7).

One IPv6 customer owns at least a /64 (RFC 6177 §2), so a single address means nothing there; and
often a /48, which therefore counts too, at ten times the number. An IPv4 client that reaches an
IPv6 server through a translator counts as the IPv4 address that it is.
"""

from __future__ import annotations

import ipaddress

from pwless_middleware.core.dataclass import dataclass

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 6052 §2.1: the well-known prefix of NAT64, with the IPv4 address in its last 32 bits. All IPv4
# clients behind one translator would else share one /64. 6to4 (2002::/16) and Teredo (2001::/32)
# stay IPv6: they are deprecated or gone (RFC 7526), and a 6to4 site is a /48, which counts.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

# Not `is_private`, whose meaning changes between versions of Python and leaves out carrier NAT.
_LOCAL = [
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8",  # RFC 1918, as the next two
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598: carrier NAT, and the insides of some clouds and VPNs
        "127.0.0.0/8",
        "169.254.0.0/16",  # RFC 3927
        "::1/128",
        "fc00::/7",  # RFC 4193
        "fe80::/10",
    )
]


@dataclass(frozen=True, slots=True)
class Client:
    """Name a client for the limits.

    Attributes:
        network: the IPv4 address, or the IPv6 /64, as text.
        wide: the IPv6 /48 as text; `None` for IPv4.
        is_shared: whether it is a proxy with everybody behind it; gets ten times the numbers.
    """

    network: str
    wide: str | None = None
    is_shared: bool = False

    @classmethod
    def at(cls, ip: IpAddress) -> Client:
        """Name the client at an address; an IPv4 address within an IPv6 one is the IPv4 one."""
        ip = unwrap_ipv4(ip)
        if isinstance(ip, ipaddress.IPv4Address):
            return cls(str(ip))
        narrow = ipaddress.IPv6Network((int(ip), 64), strict=False)
        wide = ipaddress.IPv6Network((int(ip), 48), strict=False)
        return cls(str(narrow), str(wide))


def unwrap_ipv4(ip: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 one stands for (mapped, or NAT64); else the same."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return ip.ipv4_mapped
        if ip in _NAT64:
            return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


def is_local_peer(ip: IpAddress) -> bool:
    """Whether a peer's address is of this machine or a private network, not of the internet."""
    ip = unwrap_ipv4(ip)
    return any(ip in network for network in _LOCAL)


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

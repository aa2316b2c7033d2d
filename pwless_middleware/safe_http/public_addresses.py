"""Which addresses are on the public internet.

The tables are of the IANA special-purpose address registries (RFC 6890), and our own: what
`ipaddress` calls global differs between versions of Python, and holds multicast, 6to4 and NAT64,
behind which any address of a private network may be.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Final

IPAddress = IPv4Address | IPv6Address

_NOT_PUBLIC: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers, and the metadata of some clouds
        "127.0.0.0/8",
        "169.254.0.0/16",  # the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",  # public by number, and inside every machine of Azure its host's agent
    )
)
_PUBLIC_V6: Final = ip_network("2000::/3")  # all that is given out (IANA IPv6 global unicast)
_NOT_PUBLIC_V6: Final = tuple(
    ip_network(network)
    for network in (
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
_NAT64: Final = ip_network("64:ff9b::/96")  # RFC 6052: a whole IPv4 address stands in it


def is_public(ip: IPAddress) -> bool:
    """Whether an address is one that anybody on the internet could reach."""
    if isinstance(ip, IPv6Address):
        inside = ip.ipv4_mapped
        if ip in _NAT64:
            inside = IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inside is None:
            return ip in _PUBLIC_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)
        ip = inside
    return not any(ip in network for network in _NOT_PUBLIC)


def is_loopback(ip: IPAddress) -> bool:
    """Whether an address is this machine's own."""
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_loopback

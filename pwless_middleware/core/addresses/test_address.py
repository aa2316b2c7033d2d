"""Test addresses: addresses that belong to no person, and take a code that is always the same.

They are for who cannot read a mailbox: the review team of an app store, tests from end to end.
Security rule 67.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import secrets
from collections.abc import Sequence
from dataclasses import field
from typing import Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.codes import CodeStyle, code_of_number
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.client import Client
from pwless_middleware.core.people.person import parse_name

LONGEST: Final = 90 * 86400
"""Seconds that a test address lives, at most (security rule 67)."""
SHORTEST: Final = 3600
MOST_NETWORKS: Final = 20
_TOKEN: Final = re.compile(r"(?<![a-z0-9])test-([a-z2-7]{16})-[a-z2-7]{32}(?![a-z0-9])")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAddress:
    """One address, as the database keeps it.

    Attributes:
        id: names it in events.
        email: the canonical address.
        secret: the code and the token of its link, encrypted.
        networks: from where it works; empty for everywhere.
        note: what it is for.
        made_at: unix seconds.
        by: who made it.
        ends_at: unix seconds from which on it opens nothing.
        user_id: of the user whom its first login made; `None` before.
        used_at: unix seconds of the last login; `None` before the first.
    """

    __test__ = False  # its name is a noun to pytest, too

    id: str
    email: Address = field(repr=False)
    secret: bytes = field(repr=False)
    networks: tuple[str, ...] = ()
    note: str = ""
    made_at: int
    by: str
    ends_at: int
    user_id: str | None = None
    used_at: int | None = None

    def is_live(self, now: int) -> bool:
        """Whether it opens anything now."""
        return now < self.ends_at

    def admits(self, client: Client | None) -> bool:
        """Whether it works for a client.

        A client that is a proxy with everybody behind it is in no network, and neither is one that
        nobody knows.
        """
        if not self.networks:
            return True
        if client is None or client.is_shared:
            return False
        theirs = ipaddress.ip_network(client.network)
        return any(_holds(ipaddress.ip_network(one), theirs) for one in self.networks)


def _holds(network: Network, other: Network) -> bool:
    if isinstance(network, ipaddress.IPv4Network):
        return isinstance(other, ipaddress.IPv4Network) and other.subnet_of(network)
    return isinstance(other, ipaddress.IPv6Network) and other.subnet_of(network)


def new_id() -> str:
    """Return a new id: 16 of a-z and 2-7."""
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()


def new_token(id: str) -> str:
    """Return the token of a test address's link: 160 random bits behind its id."""
    return f"test-{id}-{base64.b32encode(secrets.token_bytes(20)).decode().lower()}"


def new_code(style: CodeStyle) -> str:
    """Return a random code of a style, bare."""
    return code_of_number(int.from_bytes(secrets.token_bytes(8), "big"), style)


def find_token(text: str) -> tuple[str, str] | None:
    """Return the id and the whole of the one such token in a text, or `None`."""
    found = list(_TOKEN.finditer(text.lower()))
    return (found[0][1], found[0][0]) if len(found) == 1 else None


def parse_networks(texts: Sequence[str]) -> tuple[str, ...] | None:
    """Return networks in their canonical form; `None` where one is none, or there are too many.

    A network of IPv6 has at least a /64: what one customer has is known no finer.
    """
    if len(texts) > MOST_NETWORKS:
        return None
    found: list[str] = []
    for text in texts:
        try:
            network = ipaddress.ip_network(text.strip(), strict=True)
        except ValueError:
            return None
        if isinstance(network, ipaddress.IPv6Network) and network.prefixlen > 64:
            return None
        if str(network) not in found:
            found.append(str(network))
    return tuple(found)


def parse_note(text: str) -> str | None:
    """Return a note as it is kept; `None` if it is longer than a name may be, or of several lines.

    It is read as names are: what breaks a line or turns the order of others is refused.
    """
    return parse_name(text)

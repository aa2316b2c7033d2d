"""Client addresses: an IPv4 client is one, a /64 is one, a /48 is many (security rule 7)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pwless_middleware.core.logins.client import Client, is_local_peer, unwrap_ipv4


@pytest.mark.parametrize(
    ("text", "client"),
    [
        ("192.0.2.33", Client("192.0.2.33")),
        ("::ffff:192.0.2.33", Client("192.0.2.33")),
        ("64:ff9b::192.0.2.33", Client("192.0.2.33")),  # RFC 6052 §2.4
        ("64:ff9b:0:0:0:1::", Client("64:ff9b::/64", "64:ff9b::/48")),
        ("64:ff9b:1::c000:221", Client("64:ff9b:1::/64", "64:ff9b:1::/48")),  # RFC 8215: any length
        ("2002:c000:221:5::1", Client("2002:c000:221:5::/64", "2002:c000:221::/48")),
        ("2001:db8:1:2:3::4", Client("2001:db8:1:2::/64", "2001:db8:1::/48")),
    ],
)
def test_a_client_is_its_ipv4_address_or_its_networks(text: str, client: Client) -> None:
    assert Client.at(ip_address(text)) == client


def test_two_ipv4_clients_behind_one_translator_are_two() -> None:
    first, second = (unwrap_ipv4(ip_address(f"64:ff9b::192.0.2.{n}")) for n in (1, 2))
    assert first != second


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("10.1.2.3", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("192.168.0.1", True),
        ("100.64.0.1", True),
        ("100.127.255.255", True),
        ("100.128.0.0", False),
        ("127.0.0.1", True),
        ("169.254.1.1", True),
        ("8.8.8.8", False),
        ("::1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("2606:4700::1", False),
        ("::ffff:10.0.0.1", True),
        ("64:ff9b::10.0.0.1", True),
        ("64:ff9b::8.8.8.8", False),
    ],
)
def test_a_peer_is_local_or_of_the_internet(text: str, is_local: bool) -> None:
    assert is_local_peer(ip_address(text)) is is_local

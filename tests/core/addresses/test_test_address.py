"""Test addresses, as far as they are pure: networks, links (security rule 67)."""

from __future__ import annotations

import ipaddress

import pytest

from pwless_middleware.core.addresses import test_address
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.test_address import (
    find_token,
    new_id,
    new_token,
    parse_networks,
)
from pwless_middleware.core.logins.client import Client

FENCE = ("203.0.113.0/24", "2001:db8:1::/48")


def admits(client: Client | None, networks: tuple[str, ...] = FENCE) -> bool:
    made = test_address.TestAddress(
        id="a",
        email=Address("review@acme.example"),
        secret=b"s",
        networks=networks,
        made_at=0,
        by="python",
        ends_at=9,
    )
    return made.admits(client)


@pytest.mark.parametrize(
    ("ip", "is_in"),
    [
        ("203.0.113.7", True),
        ("203.0.114.7", False),
        ("::ffff:203.0.113.7", True),
        ("2001:db8:1:2::3", True),
        ("2001:db8:2::3", False),
    ],
)
def test_it_works_from_its_networks_alone(ip: str, is_in: bool) -> None:
    client = Client.at(ipaddress.ip_address(ip))
    assert admits(client) is is_in
    assert admits(client, ())


def test_nobody_and_everybody_is_in_no_network() -> None:
    """A proxy that is not trusted stands for all who are behind it."""
    assert not admits(None)
    assert not admits(Client("203.0.113.7", is_shared=True))
    assert admits(None, ())


def test_networks_are_read_strictly() -> None:
    assert parse_networks(["203.0.113.0/24", "203.0.113.0/24", " 10.1.2.3 "]) == (
        "203.0.113.0/24",
        "10.1.2.3/32",
    )
    for bad in ("203.0.113.1/24", "nowhere", "2001:db8::/65", "::1", "10.0.0.0/33", ""):
        assert parse_networks([bad]) is None, bad
    assert parse_networks([f"10.0.{n}.0/24" for n in range(21)]) is None


def test_a_token_is_found_in_what_people_paste() -> None:
    id = new_id()
    token = new_token(id)
    for text in (token, f"https://x.example/auth/link?link_token={token}", f" {token.upper()}. "):
        assert find_token(text) == (id, token)
    for text in ("", token[:-1], f"{token}a", f"x{token}", f"{token} {token}"):
        assert find_token(text) is None

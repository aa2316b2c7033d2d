"""Which addresses a request may go to (security rule 53)."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from pwless_middleware.safe_http.public_addresses import is_loopback, is_public

INSIDE = (
    *("0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.9", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:a00:1"),
    *("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1"),
    *("2001:20::1", "2002:7f00:1::", "2002:a00:1::", "3fff::1", "5f00::1", "fc00::1"),
    *("fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff02::1", "4000::1"),
)
OUTSIDE = (
    *("1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1"),
    *("192.0.1.1", "198.20.0.1", "223.255.255.255", "168.63.129.17", "2606:4700::1111"),
    *("2a00:1450::1", "64:ff9b::101:101", "::ffff:8.8.8.8", "2001:200::1"),
)


@pytest.mark.parametrize("text", INSIDE)
def test_what_is_inside_is_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_what_is_outside_is_public(text: str) -> None:
    assert is_public(ip_address(text))
    assert not is_loopback(ip_address(text))


def test_this_machine_is_known_in_every_spelling() -> None:
    for text in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"):
        assert is_loopback(ip_address(text))
    for text in ("10.0.0.1", "169.254.169.254", "::", "0.0.0.0", "64:ff9b::7f00:1"):
        assert not is_loopback(ip_address(text))

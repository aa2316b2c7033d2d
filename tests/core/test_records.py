"""Small records: clients, devices, sessions, users."""

from __future__ import annotations

import ipaddress
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.client import Client, parse_ip, unwrap_ipv4
from pwless_middleware.core.logins.device import UNKNOWN, device_of
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.user import ANONYMOUS, User


@given(st.ip_addresses(v=4))
def test_an_ipv4_client_is_its_address_also_inside_ipv6(ip: ipaddress.IPv4Address) -> None:
    assert Client.at(ip) == Client(str(ip))
    assert Client.at(ipaddress.IPv6Address(f"::ffff:{ip}")) == Client(str(ip))


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1), st.integers(0, 2**80 - 1))
def test_an_ipv6_client_is_its_64_and_its_48(
    ip: ipaddress.IPv6Address, low: int, lower: int
) -> None:
    if unwrap_ipv4(ip) != ip:
        return
    near = ipaddress.IPv6Address(int(ip) >> 64 << 64 | low)
    far = ipaddress.IPv6Address(int(ip) >> 80 << 80 | lower)
    if unwrap_ipv4(near) == near:
        assert Client.at(ip) == Client.at(near)
    if unwrap_ipv4(far) == far:
        assert Client.at(ip).wide == Client.at(far).wide
    assert Client.at(ip).network.endswith("/64")


@pytest.mark.parametrize(
    ("text", "ip"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7\t", "203.0.113.7"),
        ("203.0.113.7:443", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("unknown", None),
        ("_hidden", None),
        ("1.2.3", None),
        ("1.2.3.4.5", None),
        ("01.2.3.4", None),
        ("[", None),
        ("evil.example:80", None),
    ],
)
def test_addresses_are_read_as_proxies_write_them(text: str, ip: str | None) -> None:
    assert parse_ip(text) == (ipaddress.ip_address(ip) if ip else None)


@given(st.text(max_size=40))
def test_no_text_makes_the_readers_fail_or_is_repeated(text: str) -> None:
    parse_ip(text)
    assert device_of(text) == UNKNOWN or " on " in device_of(text)


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
         "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.0 Safari/605.1.15", "Safari on Mac"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
         "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/140 "
         "Mobile/15E148 Safari/604.1", "Chrome on iPhone"),
        ("curl/8.9.1", UNKNOWN),
        ("", UNKNOWN),
    ],
)  # fmt: skip
def test_real_browsers_have_their_names(agent: str, device: str) -> None:
    assert device_of(agent) == device


@given(st.integers(0, 10_000), st.integers(60, 5000), st.integers(0, 10_000))
def test_a_session_never_gets_younger_and_ends_at_the_nearer_end(
    start: int, idle: int, later: int
) -> None:
    session = Session(
        "i", "u", "e", start, start, idle, start + 8000, (Authentication("m", start),)
    )
    seen = session.with_use_at(start + later)
    assert seen.with_use_at(start).seen_at == seen.seen_at >= session.seen_at
    assert seen.ends_at == min(start + 8000, start + later + idle)
    for now in (seen.ends_at - 1, seen.ends_at):
        assert seen.is_alive(now) is (now < seen.ends_at)


@pytest.mark.parametrize("id", ["", None, True, 1.5, b"1", ()])
def test_a_user_needs_an_id(id: object) -> None:
    with pytest.raises(ValueError, match="id"):
        User(id=id, email="jo@example.com")  # type: ignore[arg-type]


def test_a_number_or_uuid_is_kept_as_text() -> None:
    number = UUID("12345678-1234-5678-1234-567812345678")
    for id, kept in ((7, "7"), (number, str(number)), ("7", "7")):
        user = User(id=id, email="jo@example.com")  # type: ignore[arg-type]
        assert user.id == user.identity == kept
    assert User(id="7", email="jo@example.com").display_name == "jo@example.com"
    assert User(id="7", email="jo@example.com", display_name="Jo").display_name == "Jo"


def test_nobody_is_empty_and_never_none() -> None:
    for name in ("id", "email", "display_name", "identity"):
        assert getattr(ANONYMOUS, name) == ""
    assert ANONYMOUS.is_authenticated is False
    assert ANONYMOUS.is_new is False

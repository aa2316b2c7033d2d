"""What an address that somebody typed may say (security rule 53)."""

from __future__ import annotations

import pytest

from pwless_middleware.errors import FAULTS, AddressRefused
from pwless_middleware.safe_http.urls import read_url


@pytest.mark.parametrize(
    ("text", "host", "port", "target"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        (
            "HTTPS://Hooks.Example.COM:8443/a/B?c=d&e=%2F",
            "hooks.example.com",
            8443,
            "/a/B?c=d&e=%2F",
        ),
        ("https://hooks.example.com?x", "hooks.example.com", 443, "/?x"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", 443, "/"),
        ("https://1.1.1.1/x", "1.1.1.1", 443, "/x"),
        ("https://[2606:4700::1111]:1024/", "2606:4700::1111", 1024, "/"),
        ("https://a_b.example.com./", "a_b.example.com.", 443, "/"),
    ],
)
def test_a_good_one_is_read(text: str, host: str, port: int, target: str) -> None:
    url = read_url(text)
    assert (url.scheme, url.host, url.port, url.target) == ("https", host, port, target)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "scheme"),
        ("hooks.example.com", "scheme"),
        ("ftp://hooks.example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("http://hooks.example.com/", "scheme"),
        ("http://localhost/", "scheme"),
        ("http://127.0.0.1/", "scheme"),
        ("https:/hooks.example.com", "scheme"),
        ("https://", "malformed"),
        ("https:///path", "malformed"),
        ("https://user:secret@hooks.example.com/", "malformed"),
        ("https://hooks.example.com@127.0.0.1/", "malformed"),
        ("https://hooks.example.com/#part", "malformed"),
        ("https://hooks.example.com\\@127.0.0.1/", "malformed"),
        ("https://hooks.example.com/a b", "malformed"),
        ("https://hooks.example.com/\r\nhost: evil", "malformed"),
        ("https://hooks.example.com/\x00", "malformed"),
        ("https://hooks.example.com\n", "malformed"),
        (" https://hooks.example.com", "scheme"),
        ("https://hooks..example.com/", "malformed"),
        ("https://-hooks.example.com/", "malformed"),
        ("https://.example.com/", "malformed"),
        ("https://bücher.example/", "malformed"),
        ("https://１２７.0.0.1/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https://[fe80::1%25eth0]/", "malformed"),
        ("https://[1.2.3.4]:99999/", "port"),
        ("https://[:::]/", "malformed"),
        ("https://hooks.example.com:22/", "port"),
        ("https://hooks.example.com:80/", "port"),
        ("https://hooks.example.com:0/", "port"),
        ("https://hooks.example.com:65536/", "port"),
        ("https://hooks.example.com:+443/", "malformed"),
        ("https://hooks.example.com/" + "a" * 2000, "too_long"),
    ],
)
def test_a_bad_one_is_refused_and_says_why(text: str, fault: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        read_url(text)
    assert caught.value.fault == fault
    assert str(caught.value) == FAULTS[fault]
    assert "secret" not in str(caught.value)


def test_this_machine_may_be_allowed_and_then_by_http() -> None:
    for text in ("http://localhost:8000/x", "http://127.0.0.1/x", "http://[::1]:81/x"):
        assert read_url(text, allow_loopback=True).scheme == "http"
        with pytest.raises(AddressRefused):
            read_url(text)
    for text in ("http://10.0.0.1/", "http://hooks.example.com/", "http://localhost.evil.example/"):
        with pytest.raises(AddressRefused):
            read_url(text, allow_loopback=True)

"""The names of cookies: what is taken, and that apps of one host have different ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pwless_middleware.errors import ConfigError
from pwless_middleware.web.requests.cookie_names import CookieNames, default_cookie_name


@pytest.mark.parametrize(
    "name", ["", "a b", "a=", "__Host-x", "__x", "é", "x" * 41, "a;b", None, 5]
)
def test_a_cookie_name_is_letters_and_digits(name: Any) -> None:
    with pytest.raises(ConfigError, match="cookie_name"):
        CookieNames.of(name, secure=True)


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://app.example.com", "pwless"),
        ("https://app.example.com:8443", "pwless-[0-9a-f]{8}"),
        ("https://example.com/app", "pwless-[0-9a-f]{8}"),
        ("http://localhost:8000", "pwless-[0-9a-f]{8}"),
        ("http://localhost", "pwless-[0-9a-f]{8}"),
    ],
)
def test_the_default_name_has_a_digest_where_apps_may_share_a_host(
    base_url: str, name: str
) -> None:
    found = default_cookie_name(base_url)
    assert re.fullmatch(name, found)
    assert found == default_cookie_name(base_url)
    CookieNames.of(found, secure=True)


def test_default_names_of_two_apps_on_one_host_differ() -> None:
    urls = ["http://localhost:8000", "http://localhost:8001", "https://x.org/a", "https://x.org/b"]
    assert len({default_cookie_name(url) for url in urls}) == 4

"""What a browser remembers of the logins that it has begun at a provider."""

from __future__ import annotations

import pytest

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.features.sso.logins.browser import MOST_LOGINS, BegunLogin, SSOBrowser


def begun(number: int, next: str = "/", organization: str = "") -> BegunLogin:
    return BegunLogin(
        id=bytes([number]) * 8,
        connection=f"conn_{number}",
        at=number,
        next=next,
        organization=organization,
    )


def test_what_is_packed_is_unpacked() -> None:
    browser = SSOBrowser.make().with_login(begun(1, "/a?b=%C3%BC#c")).with_login(begun(2))
    browser = browser.with_login(begun(3, organization="Café 7"))
    again = SSOBrowser.unpack(browser.pack())
    assert again == browser
    assert again.find(bytes([1]) * 8) == begun(1, "/a?b=%C3%BC#c")


def test_the_browser_stays_the_same_from_login_to_login_and_the_oldest_is_left_out() -> None:
    browser = SSOBrowser.make()
    nonce = browser.nonce
    for number in range(1, MOST_LOGINS + 2):
        browser = browser.with_login(begun(number))
    assert browser.nonce == nonce
    assert [login.id[0] for login in browser.logins] == [4, 3, 2]


def test_long_places_leave_out_the_older_logins_and_never_more_than_a_cookie_holds() -> None:
    browser = SSOBrowser.make()
    for number in (1, 2, 3):
        browser = browser.with_login(begun(number, "/" + "x" * 1400))
    assert len(browser.pack()) <= 3500
    kept = SSOBrowser.unpack(browser.pack())
    assert kept is not None
    assert [login.id[0] for login in kept.logins] == [3]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "short",
        "no base64url!",
        b64(b"n" * 16 + b"{"),
        b64(b"n" * 16 + b'[["xx","c",1,"/"]]'),
        b64(b"n" * 16 + b"[[1,2]]"),
        b64(b"n" * 16 + b"7"),
    ],
    ids=["none", "empty", "short", "alphabet", "json", "hex", "fields", "number"],
)
def test_what_is_no_such_cookie_is_none(text: str | None) -> None:
    assert SSOBrowser.unpack(text) is None


def test_a_place_elsewhere_leads_to_the_start_page() -> None:
    """A cookie of an older version cannot lead to another site."""
    packed = b64(b"n" * 16 + b'[["0101010101010101","c",1,"//evil.example"]]')
    browser = SSOBrowser.unpack(packed)
    assert browser is not None
    assert browser.logins[0].next == "/"


def test_a_login_that_has_not_come_back_is_known_for_a_while() -> None:
    browser = SSOBrowser.make().with_login(begun(7))
    assert browser.has_begun("conn_7", since=7)
    assert not browser.has_begun("conn_7", since=8)
    assert not browser.has_begun("conn_8", since=0)

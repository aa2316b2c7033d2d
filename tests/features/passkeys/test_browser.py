"""What a browser's passkey cookie says, and what it can be made to say."""

from __future__ import annotations

import pytest

from pwless_middleware.features.passkeys.browser import NEVER, PasskeyBrowser
from tests.support import START


@pytest.mark.parametrize("offer_at", [0, START, NEVER])
@pytest.mark.parametrize("has_authenticator", [False, True])
def test_it_is_read_as_it_was_written(offer_at: int, has_authenticator: bool) -> None:
    browser = PasskeyBrowser(b"n" * 16, has_authenticator, offer_at)
    assert PasskeyBrowser.unpack(browser.pack()) == browser
    assert len(browser.pack()) <= 64


@pytest.mark.parametrize("payload", [None, b"", b"\x01", b"\x02" + b"n" * 21, b"\x01" + b"n" * 60])
def test_what_is_none_of_ours_is_none(payload: bytes | None) -> None:
    assert PasskeyBrowser.unpack(payload) is None


def test_each_new_browser_is_another() -> None:
    assert PasskeyBrowser.make().nonce != PasskeyBrowser.make().nonce


def test_a_browser_is_offered_a_passkey_when_it_can_make_one_and_its_time_has_come() -> None:
    browser = PasskeyBrowser(b"n" * 16)
    assert not browser.may_be_offered(START)
    assert browser.with_authenticator(None) == browser
    can = browser.with_authenticator(True)
    assert can.may_be_offered(START)
    assert can.nonce == browser.nonce
    assert not can.with_authenticator(False).may_be_offered(START)
    later = PasskeyBrowser(b"n" * 16, True, START + 10)
    assert not later.may_be_offered(START + 9)
    assert later.may_be_offered(START + 10)
    assert not PasskeyBrowser(b"n" * 16, True, NEVER).may_be_offered(NEVER)

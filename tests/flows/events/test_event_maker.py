"""Ids and digests of what was recorded."""

from __future__ import annotations

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import EventFields
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.flows.events.event_maker import EventMaker, Recorded
from tests.support import KEY

RECORDED: Recorded = (1, 1, KINDS["mail.sent"], "", None, "", {})


def test_a_process_that_was_forked_gives_other_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = EventMaker(None)
    before = maker.event(RECORDED)
    assert before == maker.event(RECORDED)
    monkeypatch.setattr("os.getpid", lambda: -2)
    assert maker.event(RECORDED).id != before.id


def test_an_address_is_found_under_each_key() -> None:
    old, new = KEY, KEY[::-1]
    digests = [EventMaker(Keyring(key, realm="")).digests_of("jo@a.example") for key in (old, new)]
    both = EventMaker(Keyring([old, new], realm="")).digests_of("jo@a.example")
    assert both == digests[0] + digests[1]
    assert EventMaker(None).digests_of("jo@a.example") == ()


def test_a_name_is_the_same_however_much_was_named_since() -> None:
    maker = EventMaker(Keyring(KEY, realm=""))

    def digest_of(address: str) -> str | None:
        named: EventFields = {"address": Address(address)}
        return maker.event((1, 1, KINDS["send.requested"], "", None, "", named)).address

    first = digest_of("jo@a.example")
    found = {digest_of(f"jo{number}@a.example") for number in range(600)}
    assert len(found | {first}) == 601
    assert digest_of("jo@a.example") == first == maker.digests_of("jo@a.example")[0]

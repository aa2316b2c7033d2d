"""A code is derived from a record and a key, and from what it is bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.features.second_factors.sms.codes import TextCode, TextCodes, holder_of
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.stores.memory import MemoryStore
from tests.support import BASE, KEY, OTHER_KEY, START, Clock, holds

LOGIN = holder_of("login:AbC", "jo")


class Codes:
    """Codes with a store and a clock of their own."""

    def __init__(self, key: str | list[str] = KEY, store: MemoryStore | None = None) -> None:
        self.clock = Clock()
        self.store = store or MemoryStore()
        keyring = Keyring(key, realm=BASE)
        self.records = Records(
            self.store, keyring, self.clock, feature="SecondFactors", name="sms_codes"
        )
        self.codes = TextCodes(self.records, keyring, self.clock)

    def make(self, holder: str = LOGIN, **more: str) -> TextCode:
        given = {"user_id": "jo", "factor_id": "f1", "phone": "+4915123456789", **more}
        return self.codes.make(holder, language="de", is_enrollment=False, **given)

    async def keep(self, code: TextCode) -> None:
        await self.records.put(code.holder, code.pack(), ttl=code.expires_at - self.clock())


def test_the_same_record_gives_the_same_six_digits() -> None:
    codes = Codes()
    code = codes.make()
    digits = codes.codes.derive(code)
    assert len(digits) == 6
    assert digits.isdecimal()
    assert Codes().codes.derive(code) == digits
    assert codes.codes.is_right(code, f" {digits[:3]} {digits[3:]} ")
    assert len({codes.codes.derive(codes.make()) for _ in range(20)}) > 15


@pytest.mark.parametrize(
    "other",
    [
        {"holder": holder_of("login:other", "jo")},
        {"holder": holder_of("session:AbC", "jo")},
        {"holder": holder_of("login:AbC", "mallory")},
        {"user_id": "mallory"},
        {"factor_id": "f2"},
        {"phone": "+4915123456780"},
    ],
)
def test_another_login_session_user_factor_or_number_has_another_code(
    other: dict[str, Any],
) -> None:
    codes = Codes()
    differ = 0
    for _ in range(3):  # one in a million may be the same by chance
        code = codes.make()
        differ += codes.codes.derive(code) != codes.codes.derive(replace(code, **other))
    assert differ >= 2


def test_neither_the_store_nor_the_key_alone_gives_the_code() -> None:
    codes = Codes()
    code = codes.make()
    digits = codes.codes.derive(code)
    assert not holds(code.pack().decode("latin-1"), digits)
    under_other = Codes(OTHER_KEY).codes
    with pytest.raises(KeyError):
        under_other.derive(code)
    assert not holds(repr(code), digits)
    assert code.phone not in repr(code)


def test_a_code_outlives_the_rotation_of_its_key() -> None:
    code = Codes().make()
    rotated = Codes([KEY, OTHER_KEY])
    assert rotated.codes.derive(code) == Codes().codes.derive(code)
    assert rotated.make().key_id != code.key_id


def test_it_is_the_same_code_for_300_seconds_and_good_for_600_at_most() -> None:
    code = Codes().make()
    assert code.expires_at == START + 300
    assert code.may_send_again(START + 299)
    again = code.with_send(START + 299, "en")
    assert (again.expires_at, again.sends, again.salt) == (START + 599, 2, code.salt)
    assert not again.may_send_again(START + 300)


@pytest.mark.anyio
async def test_a_code_is_kept_with_all_that_it_is_bound_to_until_it_is_over() -> None:
    codes = Codes()
    code = codes.make()
    await codes.keep(code)
    found = await codes.codes.read(LOGIN)
    assert found is not None
    assert found[0] == code
    assert await codes.codes.read(holder_of("login:AbC", "mallory")) is None
    codes.clock.now += 300
    assert await codes.codes.read(LOGIN) is None


@pytest.mark.anyio
async def test_a_record_that_was_moved_to_another_holder_is_not_there() -> None:
    codes = Codes()
    await codes.keep(codes.make())
    mine, theirs = codes.records.place(LOGIN), codes.records.place(holder_of("login:x", "mallory"))
    codes.store._records[theirs] = replace(codes.store._records[mine], key=theirs)
    assert await codes.codes.read(holder_of("login:x", "mallory")) is None


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "000000 111111", "abcdef", "१२३४५६७", "\x00123456"]
)
def test_what_is_no_code_is_wrong(typed: str) -> None:
    codes = Codes()
    assert not codes.codes.is_right(codes.make(), typed)

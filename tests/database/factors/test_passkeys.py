"""Passkeys in the database: the contract, over every kind and the double in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from dataclasses import replace
from typing import TypeVar

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.factor import FactorState
from pwless_middleware.core.people.passkey import MAX_ID_BYTES, Passkey
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.database import Database
from pwless_middleware.database.factors.passkeys import PasskeyRepository, SQLPasskeys
from pwless_middleware.database.repositories import Repositories
from tests.factors import make_browser, make_factor
from tests.passkeys import MADE_AT, handle_of, make_passkey

pytestmark = pytest.mark.anyio

T = TypeVar("T")


@pytest.fixture
def passkeys(repositories: Repositories) -> PasskeyRepository:
    return repositories.passkeys


@pytest.fixture
async def connections(database_url: str) -> AsyncIterator[list[SQLPasskeys]]:
    """As many as processes have: each its own connections, and SQLite's a writing thread."""
    databases = [Database(database_url) for _ in range(4)]
    for database in databases:
        await database.open()
    yield [SQLPasskeys(database) for database in databases]
    for database in databases:
        await database.aclose()


async def fill(passkeys: PasskeyRepository, *made: Passkey) -> None:
    for one in made:
        assert await passkeys.add(one, most=10) == "added"


async def at_once(calls: Iterable[Awaitable[T]]) -> list[T]:
    return sorted(await asyncio.gather(*calls))  # type: ignore[type-var]


# --- kept and found ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, MAX_ID_BYTES])
async def test_a_passkey_is_found_as_it_was_added(passkeys: PasskeyRepository, size: int) -> None:
    whole = make_passkey(
        id=b"\x00\xff'\"\\"[:1] * size,
        sign_count=2**32 - 1,
        transports=(),
        is_synced=False,
        is_backed_up=False,
        name="Zürich ' \U0001f511",
        used_at=MADE_AT + 9,
    )
    await fill(passkeys, whole, make_passkey(number=2))
    assert await passkeys.find(whole.id) == whole
    assert await passkeys.find(whole.id + b"x") is None
    assert await passkeys.handle_of("jo") == whole.user_handle
    assert await passkeys.handle_of("kim") is None


async def test_a_user_s_own_are_listed_the_oldest_first(passkeys: PasskeyRepository) -> None:
    new, old = make_passkey(number=1, created_at=MADE_AT + 1), make_passkey(number=2)
    await fill(passkeys, new, old, make_passkey("kim", 3))
    assert await passkeys.list("jo") == [old, new]
    assert await passkeys.list("nobody") == []


async def test_they_are_counted_by_rp_id(passkeys: PasskeyRepository) -> None:
    assert await passkeys.count_by_rp_id() == {}
    other = make_passkey("kim", 3, rp_id="login.example.com")
    await fill(passkeys, make_passkey(), make_passkey(number=2), other)
    assert await passkeys.count_by_rp_id() == {"example.com": 2, "login.example.com": 1}


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("user_id", ["jo", "kim"])
async def test_a_credential_id_is_nobody_else_s(passkeys: PasskeyRepository, user_id: str) -> None:
    """Else whoever claims somebody's id signs in as them, or keeps them out (security rule 32)."""
    await fill(passkeys, make_passkey())
    again = make_passkey(user_id, public_key=b"another")
    assert await passkeys.add(again, most=10) == "known"
    assert await passkeys.find(again.id) == make_passkey()
    assert await passkeys.handle_of("kim") is None


async def test_a_user_has_so_many_at_most(passkeys: PasskeyRepository) -> None:
    await fill(passkeys, make_passkey("kim", 9))
    for number in (1, 2):
        assert await passkeys.add(make_passkey(number=number), most=2) == "added"
    assert await passkeys.add(make_passkey(number=3), most=2) == "full"
    assert len(await passkeys.list("jo")) == 2


async def test_the_first_is_refused_where_there_is_one(passkeys: PasskeyRepository) -> None:
    await fill(passkeys, make_passkey("kim", 9))
    assert await passkeys.add(make_passkey(), most=10, only_first=True) == "added"
    second = make_passkey(number=2)
    assert await passkeys.add(second, most=10, only_first=True) == "not_first"
    assert await passkeys.list("jo") == [make_passkey()]


async def test_one_for_a_former_rp_id_does_not_keep_a_person_from_their_first(
    passkeys: PasskeyRepository,
) -> None:
    await fill(passkeys, make_passkey(rp_id="old.example"))
    assert await passkeys.add(make_passkey(number=2), most=1, only_first=True) == "added"
    assert await passkeys.add(make_passkey(number=3), most=1) == "full"


async def test_a_user_has_one_handle_and_nobody_else_s(passkeys: PasskeyRepository) -> None:
    await fill(passkeys, make_passkey())
    other = make_passkey(number=2, user_handle=b"x" * 32)
    assert await passkeys.add(other, most=10) == "other_handle"
    thief = make_passkey("kim", 2, user_handle=handle_of("jo"))
    assert await passkeys.add(thief, most=10) == "other_handle"
    assert await passkeys.find(other.id) is None
    assert await passkeys.handle_of("jo") == handle_of("jo")
    assert await passkeys.handle_of("kim") is None


async def test_who_is_disabled_or_being_deleted_gets_none(repositories: Repositories) -> None:
    """Else one that is being added leaves a row behind a deletion."""
    await repositories.people.add(Person("jo", "jo@example.com"))
    await repositories.people.disable("jo", at=MADE_AT)
    assert await repositories.passkeys.add(make_passkey(), most=10) == "disabled"
    assert await repositories.passkeys.find(make_passkey().id) is None
    assert await repositories.passkeys.handle_of("jo") is None


# --- use -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("is_synced", "before", "count", "is_noted"),
    [
        (False, 5, 6, True),
        (False, 5, 2**32 - 1, True),
        (False, 5, 5, False),
        (False, 5, 4, False),
        (False, 5, 0, False),
        (False, 0, 0, True),
        (False, 0, 1, True),
        (True, 5, 6, True),
        (True, 5, 5, True),
        (True, 5, 0, True),
    ],
)
async def test_a_count_that_does_not_grow_is_refused_for_a_device_bound_passkey(
    passkeys: PasskeyRepository, is_synced: bool, before: int, count: int, is_noted: bool
) -> None:
    """It is a sign of a copied key (security rule 33)."""
    one = make_passkey(is_synced=is_synced, is_backed_up=False, sign_count=before)
    await fill(passkeys, one, make_passkey(number=2))
    noted = await passkeys.note_use(one.id, sign_count=count, is_backed_up=True, at=MADE_AT + 5)
    assert (noted, one.admits_count(count)) == (is_noted, is_noted)
    used = replace(one, sign_count=count, is_backed_up=True, used_at=MADE_AT + 5)
    assert await passkeys.find(one.id) == (used if is_noted else one)
    assert await passkeys.find(make_passkey(number=2).id) == make_passkey(number=2)


async def test_the_time_of_use_never_goes_back(passkeys: PasskeyRepository) -> None:
    one = make_passkey()
    await fill(passkeys, one)
    for at in (MADE_AT + 9, MADE_AT + 3):
        assert await passkeys.note_use(one.id, sign_count=0, is_backed_up=True, at=at)
    assert await passkeys.find(one.id) == replace(one, used_at=MADE_AT + 9)


async def test_a_passkey_that_is_gone_is_not_used(passkeys: PasskeyRepository) -> None:
    one = make_passkey()
    await fill(passkeys, one)
    await passkeys.remove("jo", one.id, keeps_last=False)
    assert not await passkeys.note_use(one.id, sign_count=1, is_backed_up=True, at=MADE_AT)
    assert await passkeys.find(one.id) is None


# --- changed and removed -------------------------------------------------------------------------


async def test_a_user_renames_their_own_alone(passkeys: PasskeyRepository) -> None:
    one = make_passkey()
    await fill(passkeys, one)
    assert await passkeys.rename("jo", one.id, "Laptop")
    assert not await passkeys.rename("kim", one.id, "Mine")
    assert not await passkeys.rename("jo", b"unknown", "Mine")
    assert await passkeys.find(one.id) == replace(one, name="Laptop")


async def test_a_user_removes_their_own_alone(passkeys: PasskeyRepository) -> None:
    one, other = make_passkey(), make_passkey("kim", 2)
    await fill(passkeys, one, other)
    assert await passkeys.remove("jo", other.id, keeps_last=False) == "absent"
    assert await passkeys.remove("jo", one.id, keeps_last=False) == "removed"
    assert await passkeys.remove("jo", one.id, keeps_last=False) == "absent"
    assert await passkeys.find(other.id) == other
    assert await passkeys.handle_of("jo") == handle_of("jo"), "a new one replaces the old"


async def test_the_last_way_in_stays(passkeys: PasskeyRepository) -> None:
    one, other = make_passkey(), make_passkey(number=2)
    await fill(passkeys, one, other, make_passkey("kim", 3))
    assert await passkeys.remove("jo", one.id, keeps_last=True) == "removed"
    assert await passkeys.remove("jo", other.id, keeps_last=True) == "last"
    assert await passkeys.list("jo") == [other]


async def test_one_for_a_former_rp_id_is_no_way_in_that_is_left(
    passkeys: PasskeyRepository,
) -> None:
    one, dead = make_passkey(), make_passkey(number=2, rp_id="old.example")
    await fill(passkeys, one, dead)
    assert await passkeys.remove("jo", one.id, keeps_last=True) == "last"
    assert await passkeys.remove("jo", dead.id, keeps_last=False) == "removed"


async def test_a_reset_removes_all_of_one_user(passkeys: PasskeyRepository) -> None:
    other = make_passkey("kim", 3)
    await fill(passkeys, make_passkey(), make_passkey(number=2), other)
    assert await passkeys.remove_all("jo") == 2
    assert await passkeys.remove_all("jo") == 0
    assert await passkeys.list("jo") == []
    assert await passkeys.find(other.id) == other


async def test_those_made_since_a_second_are_removed_and_that_second_counts(
    passkeys: PasskeyRepository,
) -> None:
    """Whoever changes the address and adds a passkey at once has no way in after the undo."""
    before, same, after = (
        make_passkey(number=number, created_at=MADE_AT + at)
        for number, at in ((1, 59), (2, 60), (3, 61))
    )
    other = make_passkey("kim", 4, created_at=MADE_AT + 61)
    await fill(passkeys, before, same, after, other)
    assert await passkeys.remove_since("jo", MADE_AT + 60) == 2
    assert await passkeys.list("jo") == [before]
    assert await passkeys.remove_since("jo", MADE_AT + 60) == 0
    assert await passkeys.find(other.id) == other


@pytest.mark.parametrize("way", ["one", "all", "since"])
async def test_whoever_loses_a_passkey_is_trusted_nowhere(
    repositories: Repositories, way: str
) -> None:
    """Nor in a browser that is just being trusted (security rule 45)."""
    passkeys, browsers = repositories.passkeys, repositories.trusted_browsers
    await fill(passkeys, make_passkey(), make_passkey("kim", 2))
    for user, number in (("jo", 1), ("kim", 2)):
        await browsers.trust(make_browser(user, number), generation=0)
        await repositories.recovery_codes.set(user, [b"1"], at=MADE_AT)
    await passkeys.remove("jo", b"unknown", keeps_last=False)
    await passkeys.remove_since("jo", MADE_AT + 1)
    assert len(await browsers.list("jo", now=0)) == 1, "nothing was lost"
    if way == "one":
        await passkeys.remove("jo", make_passkey().id, keeps_last=False)
    elif way == "all":
        await passkeys.remove_all("jo")
    else:
        await passkeys.remove_since("jo", MADE_AT)
    state = await repositories.factors.state("jo")
    assert state == FactorState(generation=1), "codes go with the last factor"
    assert await browsers.list("jo", now=0) == []
    assert not await browsers.trust(make_browser(number=3), generation=0)
    assert len(await browsers.list("kim", now=0)) == 1
    assert (await repositories.factors.state("kim")).recovery_codes == 1


async def test_recovery_codes_stay_for_another_factor(repositories: Repositories) -> None:
    passkeys, codes = repositories.passkeys, repositories.recovery_codes
    await fill(passkeys, make_passkey(), make_passkey(number=2))
    await codes.set("jo", [b"1"], at=MADE_AT)
    await passkeys.remove("jo", make_passkey().id, keeps_last=False)
    assert len(await codes.list("jo")) == 1
    await repositories.factors.add(make_factor(), most=10, may_be_alone=True)
    await passkeys.remove_all("jo")
    assert len(await codes.list("jo")) == 1


async def test_erasing_a_user_leaves_no_passkey_and_no_handle(passkeys: PasskeyRepository) -> None:
    await fill(passkeys, make_passkey(), make_passkey("kim", 2))
    await passkeys.erase("jo")
    await passkeys.erase("jo")
    assert await passkeys.list("jo") == []
    assert await passkeys.handle_of("jo") is None
    assert await passkeys.handle_of("kim") == handle_of("kim")
    await fill(passkeys, make_passkey(user_handle=b"n" * 32))


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    passkeys = repositories.passkeys
    ids = iter(range(100))
    is_told: dict[str, bool] = {}

    def audit(*, is_written: bool) -> Event:
        id = format_event_id(MADE_AT, next(ids))
        is_told[id] = is_written
        return Event(at=MADE_AT, kind="passkey.changed", id=id)

    one, other = make_passkey(), make_passkey(number=2)
    for is_written in (True, False):
        await passkeys.add(one, most=1, audit=audit(is_written=is_written))
        await passkeys.rename(
            "jo", one.id if is_written else b"x", "A", audit=audit(is_written=is_written)
        )
    await passkeys.add(other, most=1, audit=audit(is_written=False))
    await passkeys.remove("jo", one.id, keeps_last=True, audit=audit(is_written=False))
    for is_written in (True, False):
        told = audit(is_written=is_written)
        await passkeys.remove("jo", one.id, keeps_last=False, audit=told)
    for is_written in (True, False):
        if is_written:
            await fill(passkeys, one)
        await passkeys.remove_all("jo", audit=audit(is_written=is_written))
    for is_written in (True, False):
        if is_written:
            await fill(passkeys, one)
        await passkeys.remove_since("jo", MADE_AT, audit=audit(is_written=is_written))
    found = await repositories.events.find(EventFilter())
    assert {stored.event.id for stored in found} == {id for id, told in is_told.items() if told}


# --- at once -------------------------------------------------------------------------------------


@pytest.mark.parametrize("users", [("jo",) * 4, ("ann", "bo", "jo", "kim")], ids=["one", "four"])
async def test_one_credential_is_added_once(
    connections: list[SQLPasskeys], users: tuple[str, ...]
) -> None:
    for number in range(1, 6):
        tries = (
            each.add(make_passkey(user, number), most=10)
            for each, user in zip(connections, users, strict=True)
        )
        assert await at_once(tries) == ["added", "known", "known", "known"]
    found = [len(await connections[0].list(user)) for user in {*users}]
    assert sum(found) == 5


async def test_of_several_elevenths_none_is_added(connections: list[SQLPasskeys]) -> None:
    for number in range(1, 10):
        await connections[0].add(make_passkey(number=number), most=10)
    tries = (
        each.add(make_passkey(number=number), most=10)
        for number, each in enumerate(connections, 20)
    )
    assert await at_once(tries) == ["added", "full", "full", "full"]
    assert len(await connections[0].list("jo")) == 10


async def test_of_several_firsts_one_is_added(connections: list[SQLPasskeys]) -> None:
    for place, user in enumerate(("ann", "jo", "kim"), 1):
        tries = (
            each.add(make_passkey(user, 10 * place + number), most=10, only_first=True)
            for number, each in enumerate(connections)
        )
        assert await at_once(tries) == ["added", "not_first", "not_first", "not_first"]


async def test_of_several_handles_one_is_the_user_s(connections: list[SQLPasskeys]) -> None:
    """Two browsers make a user's first passkeys, each with a handle of its own."""
    tries = (
        each.add(make_passkey(number=number, user_handle=bytes([number]) * 32), most=10)
        for number, each in enumerate(connections, 1)
    )
    assert await at_once(tries) == ["added", "other_handle", "other_handle", "other_handle"]
    [one] = await connections[0].list("jo")
    assert await connections[1].handle_of("jo") == one.id * 2


async def test_the_last_two_are_not_both_removed(connections: list[SQLPasskeys]) -> None:
    for place, user in enumerate(("ann", "jo", "kim"), 1):
        two = [make_passkey(user, 10 * place + number) for number in range(2)]
        await fill(connections[0], *two)
        tries = (
            each.remove(user, one.id, keeps_last=True)
            for each, one in zip(connections, two * 2, strict=True)
        )
        outcomes = await at_once(tries)
        assert outcomes.count("removed") == 1, outcomes
        assert len(await connections[0].list(user)) == 1


async def test_of_several_uses_with_one_count_one_is_noted(connections: list[SQLPasskeys]) -> None:
    """A device-bound key and its copy."""
    one = make_passkey(is_synced=False, is_backed_up=False, sign_count=1)
    await fill(connections[0], one)
    for count in range(2, 7):
        tries = (
            each.note_use(one.id, sign_count=count, is_backed_up=False, at=MADE_AT)
            for each in connections
        )
        assert await at_once(tries) == [False, False, False, True]


async def test_an_erasure_takes_what_is_being_added(connections: list[SQLPasskeys]) -> None:
    """Whatever comes first, no row is left without its handle, which would hide it."""
    for number in range(1, 6):
        first, second, *_ = connections
        await asyncio.gather(
            first.add(make_passkey(number=number), most=10), second.erase("jo"), first.erase("jo")
        )
        left = await second.list("jo")
        assert (await second.handle_of("jo") is not None) == bool(left)
        assert sum((await second.count_by_rp_id()).values()) == len(left)
        await second.erase("jo")


async def test_no_browser_is_trusted_behind_the_back_of_a_removal(
    parallel: list[Repositories],
) -> None:
    """A login that has proven a passkey asks to be trusted while its owner removes it."""
    for number in range(1, 6):
        user = f"user-{number}"
        await fill(parallel[0].passkeys, make_passkey(user, number))
        trusting = [
            each.trusted_browsers.trust(make_browser(user, 10 * number + n), generation=0)
            for n, each in enumerate(parallel[1:])
        ]
        removal = parallel[0].passkeys.remove(
            user, make_passkey(number=number).id, keeps_last=False
        )
        await asyncio.gather(*trusting[:2], removal, trusting[2])
        assert await parallel[0].trusted_browsers.list(user, now=0) == []

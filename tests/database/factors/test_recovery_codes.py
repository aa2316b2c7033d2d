"""Recovery codes in the database: the contract, over every kind and the double in memory.

Security rule 44.
"""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.factor import RecoveryCode
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.factors.recovery_codes import RecoveryCodeRepository
from pwless_middleware.database.repositories import Repositories
from tests.factors import MADE_AT

pytestmark = pytest.mark.anyio

DIGESTS = [bytes([number]) * 32 for number in range(10)]


@pytest.fixture
def codes(repositories: Repositories) -> RecoveryCodeRepository:
    return repositories.recovery_codes


async def test_each_code_is_used_once_and_tells_how_many_are_left(
    codes: RecoveryCodeRepository,
) -> None:
    assert await codes.set("jo", DIGESTS, at=MADE_AT)
    used = [await codes.use("jo", digest, at=MADE_AT + 1) for digest in DIGESTS[::-1]]
    assert used == [*range(9, -1, -1)]
    assert [await codes.use("jo", digest, at=MADE_AT + 1) for digest in DIGESTS] == [None] * 10


async def test_a_code_is_of_one_user(codes: RecoveryCodeRepository) -> None:
    """Whatever a user guesses or steals of another is wrong, and costs the other nothing."""
    await codes.set("jo", DIGESTS[:1], at=MADE_AT)
    await codes.set("kim", DIGESTS[1:3], at=MADE_AT)
    assert await codes.use("kim", DIGESTS[0], at=MADE_AT) is None
    assert await codes.use("nobody", DIGESTS[0], at=MADE_AT) is None
    assert await codes.use("jo", b"unknown", at=MADE_AT) is None
    assert await codes.use("jo", DIGESTS[0], at=MADE_AT) == 0
    assert await codes.use("kim", DIGESTS[1], at=MADE_AT) == 1


async def test_a_new_set_voids_the_old_one(codes: RecoveryCodeRepository) -> None:
    await codes.set("jo", DIGESTS[:5], at=MADE_AT)
    await codes.set("kim", DIGESTS[:5], at=MADE_AT)
    await codes.set("jo", DIGESTS[4:7], at=MADE_AT + 9)
    assert await codes.use("jo", DIGESTS[0], at=MADE_AT + 9) is None
    assert await codes.use("jo", DIGESTS[4], at=MADE_AT + 9) == 2
    assert await codes.use("kim", DIGESTS[0], at=MADE_AT + 9) == 4


async def test_what_is_told_of_codes_is_when(codes: RecoveryCodeRepository) -> None:
    await codes.set("jo", DIGESTS[:3], at=MADE_AT)
    for number, digest in enumerate((DIGESTS[2], DIGESTS[0]), 1):
        await codes.use("jo", digest, at=MADE_AT + number)
    assert await codes.list("jo") == [
        RecoveryCode(created_at=MADE_AT, used_at=MADE_AT + 1),
        RecoveryCode(created_at=MADE_AT, used_at=MADE_AT + 2),
        RecoveryCode(created_at=MADE_AT),
    ]
    assert await codes.list("kim") == []


async def test_who_is_disabled_or_being_deleted_gets_none(repositories: Repositories) -> None:
    """Else a set that is being made leaves rows behind a deletion."""
    await repositories.people.add(Person("jo", "jo@example.com"))
    await repositories.people.disable("jo", at=MADE_AT)
    assert not await repositories.recovery_codes.set("jo", DIGESTS, at=MADE_AT)
    assert await repositories.recovery_codes.list("jo") == []


async def test_erasing_a_user_leaves_no_code(codes: RecoveryCodeRepository) -> None:
    for user in ("jo", "kim"):
        await codes.set(user, DIGESTS, at=MADE_AT)
    for _ in range(2):
        await codes.erase("jo")
    assert await codes.list("jo") == []
    assert len(await codes.list("kim")) == 10


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    codes, people = repositories.recovery_codes, repositories.people
    told = [
        Event(at=MADE_AT, kind="recovery_codes.made", id=format_event_id(MADE_AT, number))
        for number in range(5)
    ]
    await codes.set("jo", DIGESTS, at=MADE_AT, audit=told[0])
    await codes.use("jo", DIGESTS[0], at=MADE_AT, audit=told[1])
    await codes.use("jo", DIGESTS[0], at=MADE_AT, audit=told[2])
    await codes.use("kim", DIGESTS[1], at=MADE_AT, audit=told[3])
    await people.add(Person("kim", "kim@example.com"))
    await people.disable("kim", at=MADE_AT)
    await codes.set("kim", DIGESTS, at=MADE_AT, audit=told[4])
    found = await repositories.events.find(EventFilter())
    assert {stored.event.id for stored in found} == {told[0].id, told[1].id}


# --- at once -------------------------------------------------------------------------------------


async def test_one_code_in_parallel_lets_one_in(parallel: list[Repositories]) -> None:
    await parallel[0].recovery_codes.set("jo", DIGESTS, at=MADE_AT)
    for place, digest in enumerate(DIGESTS[:5], 1):
        tries = (each.recovery_codes.use("jo", digest, at=MADE_AT) for each in parallel * 5)
        outcomes = await asyncio.gather(*tries)
        assert sorted(one for one in outcomes if one is not None) == [10 - place]


async def test_of_codes_in_parallel_each_is_counted(parallel: list[Repositories]) -> None:
    """Nobody is told of more than are left, so that the warning of the last two comes."""
    await parallel[0].recovery_codes.set("jo", DIGESTS[:8], at=MADE_AT)
    tries = (
        each.recovery_codes.use("jo", digest, at=MADE_AT)
        for each, digest in zip(parallel * 2, DIGESTS[:8], strict=True)
    )
    left = [one for one in await asyncio.gather(*tries) if one is not None]
    assert sorted(left) == [*range(8)]


async def test_a_code_is_not_used_behind_the_back_of_a_new_set(
    parallel: list[Repositories],
) -> None:
    """Two sets at once leave one; an old code is good before that, or not at all."""
    for _ in range(5):
        await parallel[0].recovery_codes.set("jo", DIGESTS[:2], at=MADE_AT)
        await asyncio.gather(
            parallel[1].recovery_codes.set("jo", DIGESTS[2:5], at=MADE_AT),
            parallel[2].recovery_codes.use("jo", DIGESTS[0], at=MADE_AT),
            parallel[3].recovery_codes.set("jo", DIGESTS[5:8], at=MADE_AT),
        )
        assert len(await parallel[0].recovery_codes.list("jo")) == 3
        assert await parallel[0].recovery_codes.use("jo", DIGESTS[0], at=MADE_AT) is None

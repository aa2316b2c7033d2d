"""Resets of second factors in the database: the contract, over every kind and the double."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.factor import FactorReset
from pwless_middleware.database.factors.factor_resets import FactorResetRepository
from pwless_middleware.database.repositories import Repositories
from tests.factors import MADE_AT, make_reset

pytestmark = pytest.mark.anyio

LATE = MADE_AT + 5000


@pytest.fixture
def resets(repositories: Repositories) -> FactorResetRepository:
    return repositories.factor_resets


async def fill(resets: FactorResetRepository, *made: FactorReset) -> None:
    for one in made:
        assert await resets.ask(one)


async def test_a_reset_is_found_as_it_was_asked_for(resets: FactorResetRepository) -> None:
    await fill(resets, make_reset(), make_reset("kim", 2, by="operator:Zoë"))
    assert await resets.find(make_reset().id) == await resets.open_of("jo") == make_reset()
    assert await resets.open_of("kim") == make_reset("kim", 2, by="operator:Zoë")
    assert await resets.find(b"unknown") is await resets.open_of("nobody") is None
    assert make_reset().is_open


async def test_a_user_has_one_open_reset(resets: FactorResetRepository) -> None:
    await fill(resets, make_reset())
    assert not await resets.ask(make_reset(number=2))
    assert not await resets.ask(make_reset("kim"))  # nor has an id two
    await resets.finish(make_reset().id, at=LATE)
    await fill(resets, make_reset(number=2))
    await resets.object(make_reset(number=2).id, at=LATE)
    await fill(resets, make_reset(number=3))
    assert [one.id for one in await resets.list("jo")] == [
        make_reset(number=number).id for number in (1, 2, 3)
    ]
    assert [one.is_open for one in await resets.list("jo")] == [False, False, True]


async def test_an_objection_stops_it_for_good(resets: FactorResetRepository) -> None:
    await fill(resets, make_reset(), make_reset("kim", 2))
    assert await resets.object(make_reset().id, at=MADE_AT + 5)
    assert not await resets.object(make_reset().id, at=MADE_AT + 6)
    assert not await resets.object(b"unknown", at=MADE_AT + 6)
    assert not await resets.finish(make_reset().id, at=LATE)
    assert await resets.find(make_reset().id) == replace(make_reset(), objected_at=MADE_AT + 5)
    assert await resets.open_of("jo") is None
    assert await resets.open_of("kim") is not None


async def test_after_it_is_done_an_objection_is_too_late(resets: FactorResetRepository) -> None:
    await fill(resets, make_reset(), make_reset("kim", 2))
    assert await resets.finish(make_reset().id, at=LATE)
    assert not await resets.finish(make_reset().id, at=LATE + 1)
    assert not await resets.finish(b"unknown", at=LATE)
    assert not await resets.object(make_reset().id, at=LATE)
    assert await resets.find(make_reset().id) == replace(make_reset(), done_at=LATE)
    assert await resets.open_of("kim") is not None


async def test_those_that_are_due_are_returned_the_longest_due_first(
    resets: FactorResetRepository,
) -> None:
    made = [make_reset(f"user-{number}", number) for number in (3, 1, 2, 4, 5)]
    await fill(resets, *made)
    await resets.object(made[3].id, at=MADE_AT)
    await resets.finish(made[4].id, at=MADE_AT)
    third, first, second = made[:3]
    assert await resets.due(first.due_at - 1, 10) == []
    assert await resets.due(first.due_at, 10) == [first]
    assert await resets.due(LATE, 10) == [first, second, third]
    assert await resets.due(LATE, 2) == [first, second]


async def test_erasing_a_user_leaves_nothing_that_names_them(
    resets: FactorResetRepository,
) -> None:
    """Nor where they were the operator who asked; whose factors it was about keeps the reset."""
    mine = make_reset("kim", 2, by="operator:jo")
    await fill(resets, make_reset(), mine, make_reset("ann", 3))
    for _ in range(2):
        await resets.erase("jo")
    assert await resets.list("jo") == []
    [scrubbed] = await resets.list("kim")
    assert scrubbed.by.startswith("operator:erased-")
    assert replace(scrubbed, by=mine.by) == mine
    assert await resets.list("ann") == [make_reset("ann", 3)]


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    resets, id = repositories.factor_resets, make_reset().id
    told = [
        Event(at=MADE_AT, kind="factor.reset", id=format_event_id(MADE_AT, number))
        for number in range(8)
    ]
    await resets.ask(make_reset(), audit=told[0])
    await resets.ask(make_reset(number=2), audit=told[1])
    await resets.object(id, at=LATE, audit=told[2])
    await resets.object(id, at=LATE, audit=told[3])
    await resets.finish(id, at=LATE, audit=told[4])
    await resets.ask(make_reset(number=2), audit=told[5])
    await resets.finish(make_reset(number=2).id, at=LATE, audit=told[6])
    await resets.finish(make_reset(number=2).id, at=LATE, audit=told[7])
    found = await repositories.events.find(EventFilter())
    assert {stored.event.id for stored in found} == {told[n].id for n in (0, 2, 5, 6)}


# --- at once -------------------------------------------------------------------------------------


async def test_of_several_that_are_asked_for_at_once_one_is_open(
    parallel: list[Repositories],
) -> None:
    for place in range(5):
        tries = (
            each.factor_resets.ask(make_reset(f"user-{place}", 10 * place + number))
            for number, each in enumerate(parallel, 1)
        )
        assert sorted(await asyncio.gather(*tries)) == [False, False, False, True]


async def test_one_process_finishes_it_or_the_person_stops_it(
    parallel: list[Repositories],
) -> None:
    for number in range(1, 6):
        await parallel[0].factor_resets.ask(make_reset(f"user-{number}", number))
        id = make_reset(number=number).id
        outcomes = await asyncio.gather(
            *(each.factor_resets.finish(id, at=LATE) for each in parallel[1:]),
            parallel[0].factor_resets.object(id, at=LATE),
        )
        assert sorted(outcomes) == [False, False, False, True]
        found = await parallel[0].factor_resets.find(id)
        assert found is not None
        assert (found.objected_at is None) != (found.done_at is None)

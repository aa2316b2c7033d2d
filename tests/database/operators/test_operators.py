"""Operators in the database: the contract, over every kind and the double (security rule 63)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.operators.operator import Role
from pwless_middleware.core.operators.stored_operator import StoredOperator
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.operators.operators import MOST, OperatorRepository
from pwless_middleware.database.repositories import Repositories

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600


@pytest.fixture
def operators(repositories: Repositories) -> OperatorRepository:
    return repositories.operators


def operator(user_id: str = "jo", role: Role = "admin") -> StoredOperator:
    return StoredOperator(user_id=user_id, role=role, added_at=NOW, by="command_line")


def removed(one: StoredOperator) -> StoredOperator:
    return replace(one, removed_at=NOW + 1)


async def test_an_operator_is_found_and_listed(operators: OperatorRepository) -> None:
    jo, kim = operator(), operator("kim", "view")
    for one in (kim, jo):
        assert await operators.put(one, seen=None) == "done"
    assert await operators.list() == [jo, kim]
    assert await operators.find("jo") == jo
    assert await operators.find("nobody") is None


async def test_who_is_removed_stays_with_the_role_that_they_had(
    operators: OperatorRepository,
) -> None:
    kim, ana = operator("kim", "support"), operator("ana", "view")
    for one in (operator(), kim, ana):
        await operators.put(one, seen=None)
        assert await operators.put(removed(one), seen=one, has_other_admin=True) == "done"
    assert await operators.list() == []
    assert await operators.find("kim") == removed(kim)
    assert await operators.list_removed(limit=2) == [removed(ana), removed(operator())]
    assert await operators.list_removed(after="jo") == [removed(kim)]


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    operators: OperatorRepository,
) -> None:
    kim = operator("kim", "support")
    await operators.put(kim, seen=None)
    lowered = replace(kim, role="view")
    assert await operators.put(lowered, seen=kim) == "done"
    assert await operators.put(removed(kim), seen=kim) == "stale"
    assert await operators.put(kim, seen=None) == "stale"
    assert await operators.put(operator("ana"), seen=operator("ana")) == "stale"
    assert await operators.list() == [lowered]


@pytest.mark.parametrize("change", ["remove", "lower"])
async def test_the_last_admin_stays_one(change: str, operators: OperatorRepository) -> None:
    jo = operator()
    await operators.put(jo, seen=None)
    await operators.put(operator("kim", "support"), seen=None)
    less = removed(jo) if change == "remove" else replace(jo, role="support")
    assert await operators.put(less, seen=jo) == "last_admin"
    assert await operators.find("jo") == jo
    assert await operators.put(less, seen=jo, has_other_admin=True) == "done"


async def test_an_admin_who_cannot_sign_in_is_no_other_admin(repositories: Repositories) -> None:
    operators = repositories.operators
    await repositories.people.add(Person("kim", "kim@example.com", created_at=NOW))
    await repositories.people.disable("kim", at=NOW)
    jo = operator()
    for one in (jo, operator("kim")):
        await operators.put(one, seen=None)
    assert await operators.put(removed(jo), seen=jo) == "last_admin"
    await repositories.people.enable("kim")
    assert await operators.put(removed(jo), seen=jo) == "done"


async def test_of_two_admins_who_remove_each_other_one_stays(
    parallel: list[Repositories],
) -> None:
    """Each in a process of its own, with connections of its own."""
    for _ in range(5):
        first, second = operator("a"), operator("b")
        for one in (first, second):
            seen = await parallel[0].operators.find(one.user_id)
            await parallel[0].operators.put(one, seen=seen)
        done = await asyncio.gather(
            parallel[1].operators.put(removed(first), seen=first),
            parallel[2].operators.put(removed(second), seen=second),
        )
        assert sorted(done) == ["done", "last_admin"]
        assert len(await parallel[3].operators.list()) == 1


async def test_there_is_a_bound(operators: OperatorRepository) -> None:
    """Every process holds all of them."""
    for number in range(MOST):
        assert await operators.put(operator(f"u-{number}"), seen=None) == "done"
    assert await operators.put(operator(), seen=None) == "full"
    first = operator("u-0")
    assert await operators.put(replace(first, role="view"), seen=first) == "done"
    assert len(await operators.list()) == MOST


async def test_whoever_is_erased_is_named_nowhere(operators: OperatorRepository) -> None:
    await operators.put(operator(), seen=None)
    await operators.put(replace(operator("kim"), by="operator:jo"), seen=None)
    await operators.erase("jo")
    await operators.erase("jo")
    assert await operators.find("jo") is None
    (kim,) = await operators.list()
    assert kim.by.startswith("operator:erased-")


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    operators, jo = repositories.operators, operator()
    told = [Event(at=NOW, kind="operator.added", id=format_event_id(NOW, n)) for n in range(3)]
    await operators.put(jo, seen=None, audit=told[0])
    await operators.put(jo, seen=None, audit=told[1])
    await operators.put(removed(jo), seen=jo, audit=told[2])
    found = await repositories.events.find(EventFilter())
    assert [stored.event.id for stored in found] == [told[0].id]

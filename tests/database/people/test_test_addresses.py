"""Test addresses in the database: the contract (security rule 67)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware.core.addresses import test_address
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.people import test_addresses
from pwless_middleware.database.repositories import Repositories

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600
REVIEW = Address("review@acme.example")


def address(email: str = REVIEW, id: str = "a" * 16, **more: Any) -> test_address.TestAddress:
    made = test_address.TestAddress(
        id=id,
        email=Address(email),
        secret=b"secret",
        made_at=NOW,
        by="operator:jo",
        ends_at=NOW + 9,
    )
    return replace(made, **more)


async def test_one_is_found_and_listed_as_it_was_kept(repositories: Repositories) -> None:
    keeper = repositories.test_addresses
    whole = address(
        networks=("203.0.113.0/24", "2001:db8::/48"), note="For ü", user_id="u", used_at=NOW + 1
    )
    other = address("a@acme.example", "b" * 16)
    for one in (whole, other):
        assert await keeper.add(one) == "added"
    assert await keeper.find(REVIEW) == whole
    assert await keeper.find(Address("jo@example.com")) is None
    assert await keeper.list() == [other, whole]


async def test_an_address_is_one_once(repositories: Repositories) -> None:
    tries = (repositories.test_addresses.add(address(id=f"{n}" * 16)) for n in range(6))
    assert sorted(await asyncio.gather(*tries)) == ["added", *["taken"] * 5]


async def test_an_address_that_a_person_has_is_none(repositories: Repositories) -> None:
    await repositories.people.add(Person("u", REVIEW, created_at=NOW))
    assert await repositories.test_addresses.add(address()) == "person"
    assert await repositories.test_addresses.list() == []


async def test_there_is_a_bound(repositories: Repositories) -> None:
    keeper = repositories.test_addresses
    for number in range(test_addresses.MOST):
        assert await keeper.add(address(f"u{number}@x.example", f"{number}")) == "added"
    assert await keeper.add(address()) == "full"


async def test_it_gets_another_secret_or_another_end(repositories: Repositories) -> None:
    keeper, one = repositories.test_addresses, address()
    await keeper.add(one)
    assert await keeper.replace(one.id, secret=b"new", ends_at=None)
    assert await keeper.find(REVIEW) == replace(one, secret=b"new")
    assert await keeper.replace(one.id, secret=None, ends_at=NOW + 99)
    assert await keeper.find(REVIEW) == replace(one, secret=b"new", ends_at=NOW + 99)
    assert not await keeper.replace("nobody", secret=b"x", ends_at=None)


async def test_it_belongs_to_the_first_user_who_is_made(repositories: Repositories) -> None:
    keeper = repositories.test_addresses
    await keeper.add(address())
    bound = await asyncio.gather(*(keeper.bind("a" * 16, f"u-{n}") for n in range(4)))
    assert sum(bound) == 1
    found = await keeper.find(REVIEW)
    assert found is not None
    assert await keeper.bind("a" * 16, found.user_id or "")
    assert not await keeper.bind("b" * 16, "u-0")


async def test_the_time_of_use_never_goes_back(repositories: Repositories) -> None:
    keeper = repositories.test_addresses
    await keeper.add(address())
    for at in (NOW + 9, NOW + 3):
        await keeper.note_use("a" * 16, at=at)
    assert await keeper.find(REVIEW) == address(used_at=NOW + 9)


async def test_it_is_removed_once(repositories: Repositories) -> None:
    keeper = repositories.test_addresses
    await keeper.add(address())
    assert await keeper.remove("a" * 16) == address()
    assert await keeper.remove("a" * 16) is None
    assert await keeper.list() == []


async def test_whoever_is_erased_is_named_nowhere(repositories: Repositories) -> None:
    keeper = repositories.test_addresses
    await keeper.add(address("a@x.example", "a", user_id="jo"))
    await keeper.add(address("b@x.example", "b"))
    await keeper.add(address("c@x.example", "c"))
    await keeper.erase("jo", ["b@x.example"])
    (left,) = await keeper.list()
    assert left.email == "c@x.example"
    assert left.by.startswith("operator:erased-")


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    keeper = repositories.test_addresses
    told = [Event(at=NOW, kind="test_address.x", id=format_event_id(NOW, n)) for n in range(6)]
    await keeper.add(address(), audit=told[0])
    await keeper.add(address(), audit=told[1])
    await keeper.replace("a" * 16, secret=None, ends_at=NOW, audit=told[2])
    await keeper.replace("b", secret=None, ends_at=NOW, audit=told[3])
    await keeper.remove("a" * 16, audit=told[4])
    await keeper.remove("a" * 16, audit=told[5])
    found = await repositories.events.find(EventFilter())
    assert {one.event.id for one in found} == {told[0].id, told[2].id, told[4].id}

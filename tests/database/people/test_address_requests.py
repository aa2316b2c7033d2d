"""Changes of address that wait to be confirmed: the contract, over every kind and the double."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.address_request import CONFIRM_SECONDS, AddressRequest
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.database.people.address_requests import AddressRequestRepository
from pwless_middleware.database.repositories import Repositories

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600
FIRST = AddressRequest(
    id=b"1" * 16,
    user_id="jo",
    old=Address("a@example.com"),
    new=Address("b@example.com"),
    by="operator:u-1",
    asked_at=NOW,
    language="de",
)
OTHER = replace(FIRST, id=b"2" * 16, user_id="kim", asked_at=NOW + 5)


@pytest.fixture
def requests(repositories: Repositories) -> AddressRequestRepository:
    return repositories.address_requests


async def test_one_is_found_by_its_id_and_by_whose_it_is(
    requests: AddressRequestRepository,
) -> None:
    await requests.put(FIRST)
    await requests.put(OTHER)
    assert await requests.find(FIRST.id) == await requests.find_of("jo") == FIRST
    assert await requests.find(b"3" * 16) is await requests.find_of("ann") is None


async def test_a_later_one_is_in_the_place_of_an_earlier_one(
    requests: AddressRequestRepository,
) -> None:
    await requests.put(FIRST)
    later = replace(FIRST, id=b"3" * 16, new=Address("c@example.com"), by="x", asked_at=NOW + 9)
    await requests.put(later)
    assert await requests.find(FIRST.id) is None
    assert await requests.find_of("jo") == later


async def test_of_several_who_take_one_one_has_it(requests: AddressRequestRepository) -> None:
    await requests.put(FIRST)
    await requests.put(OTHER)
    taken = await asyncio.gather(*(requests.take(FIRST.id) for _ in range(5)))
    assert taken.count(True) == 1
    assert await requests.find_of("jo") is None
    assert await requests.find_of("kim") == OTHER


async def test_those_of_long_ago_and_of_who_is_erased_are_forgotten(
    requests: AddressRequestRepository,
) -> None:
    await requests.put(FIRST)
    await requests.put(replace(OTHER, asked_at=NOW + CONFIRM_SECONDS))
    assert await requests.find(FIRST.id) is None
    await requests.erase("kim")
    await requests.erase("kim")
    assert await requests.find_of("kim") is None


async def test_who_has_asked_is_forgotten_with_them(requests: AddressRequestRepository) -> None:
    await requests.put(FIRST)
    await requests.put(replace(OTHER, by="operator:u-2"))
    await requests.erase("u-1")
    jo, kim = await requests.find_of("jo"), await requests.find_of("kim")
    assert jo is not None
    assert kim is not None
    assert jo.by.startswith("operator:erased-")
    assert kim.by == "operator:u-2"


async def test_each_is_written_with_its_event_and_nothing_without(
    repositories: Repositories,
) -> None:
    requests = repositories.address_requests
    events = [Event(at=NOW, kind=f"test.kind{n}", id=format_event_id(NOW, n)) for n in range(3)]
    await requests.put(FIRST, audit=events[0])
    await requests.take(FIRST.id, audit=events[1])
    await requests.take(FIRST.id, audit=events[2])
    written = await repositories.events.find(EventFilter(), after=-1)
    assert [stored.event.kind for stored in written] == ["test.kind0", "test.kind1"]

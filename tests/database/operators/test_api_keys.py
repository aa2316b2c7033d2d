"""API keys in the database: the contract, over every kind and the double in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.operators.api_key import ApiKey, digest_of_key, id_of_key, new_key_text
from pwless_middleware.database.database import Database
from pwless_middleware.database.operators.api_keys import ApiKeyRepository, SQLApiKeys
from pwless_middleware.database.repositories import Repositories

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600


@pytest.fixture
def keys(repositories: Repositories) -> ApiKeyRepository:
    return repositories.api_keys


def key(name: str = "backend", generation: int = 1) -> ApiKey:
    text = new_key_text()
    return ApiKey(
        id=id_of_key(text) or "",
        name=name,
        generation=generation,
        digest=digest_of_key(text),
        scopes=("events", "users:read"),
        created_at=NOW,
        by="jo",
    )


async def test_a_key_is_found_by_its_id(keys: ApiKeyRepository) -> None:
    whole = replace(key(), expires_at=NOW + 9, revoked_at=NOW + 3, used_at=NOW + 1)
    other = key("other")
    assert await keys.add(whole)
    assert await keys.add(other)
    assert await keys.find(whole.id) == whole
    assert await keys.find(other.id) == other
    assert await keys.find("aaaaaaaaaaaaaaaa") is None


async def test_a_name_is_given_once_even_after_it_was_revoked(keys: ApiKeyRepository) -> None:
    tries = [key() for _ in range(8)]
    assert sum(await asyncio.gather(*map(keys.add, tries))) == 1
    await keys.revoke("backend", at=NOW)
    assert not await keys.add(key())
    assert len(await keys.of_name("backend")) == 1


async def test_a_name_is_given_once_among_several_processes(database_url: str) -> None:
    """Each with its own connections, as processes have them."""
    databases = [Database(database_url) for _ in range(4)]
    for database in databases:
        await database.open()
    made = await asyncio.gather(*(SQLApiKeys(one).add(key()) for one in databases))
    assert sum(made) == 1
    assert len(await SQLApiKeys(databases[0]).of_name("backend")) == 1
    for database in databases:
        await database.aclose()


async def test_two_keys_never_have_one_id(keys: ApiKeyRepository) -> None:
    first = key()
    assert await keys.add(first)
    assert not await keys.add(replace(key("other"), id=first.id), others_end=NOW)
    assert await keys.list() == [first]


async def test_a_rotation_ends_the_others_of_its_name_no_later_than_it_says(
    keys: ApiKeyRepository,
) -> None:
    soon, old, stranger = replace(key(), expires_at=NOW + 5), key(generation=2), key("other")
    new = key(generation=3)
    for one in (soon, old, stranger):
        assert await keys.add(one)
    assert await keys.add(new, others_end=NOW + 60)
    assert await keys.of_name("backend") == [new, replace(old, expires_at=NOW + 60), soon]
    assert await keys.find(stranger.id) == stranger
    assert not await keys.add(key(generation=3), others_end=NOW)
    assert await keys.find(new.id) == new


async def test_revoking_a_name_revokes_all_its_keys_once(keys: ApiKeyRepository) -> None:
    first, second, other = key(), key(generation=2), key("other")
    for one in (first, second, other):
        await keys.add(one)
    assert await keys.revoke("backend", at=NOW + 1) == 2
    assert await keys.revoke("backend", at=NOW + 2) == 0
    assert await keys.revoke("nobody", at=NOW + 2) == 0
    assert {one.revoked_at for one in await keys.of_name("backend")} == {NOW + 1}
    assert await keys.find(other.id) == other


async def test_keys_are_listed_by_name_page_by_page(keys: ApiKeyRepository) -> None:
    made = [key("Z"), key("a"), key("a", 2), key("b-1"), key("b.0")]
    for one in made:
        await keys.add(one)
    pages, after = [], ("", 0)
    while page := await keys.list(after=after, limit=2):
        pages.append([(one.name, one.generation) for one in page])
        after = pages[-1][-1]
    assert pages == [[("Z", 1), ("a", 1)], [("a", 2), ("b-1", 1)], [("b.0", 1)]]


async def test_the_time_of_use_never_goes_back(keys: ApiKeyRepository) -> None:
    one = key()
    await keys.add(one)
    for at in (NOW + 9, NOW + 3):
        await keys.note_use(one.id, at=at)
    await keys.note_use("aaaaaaaaaaaaaaaa", at=NOW)
    assert await keys.find(one.id) == replace(one, used_at=NOW + 9)


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    keys = repositories.api_keys
    told = [Event(at=NOW, kind="api_key.changed", id=format_event_id(NOW, n)) for n in range(4)]
    assert await keys.add(key(), audit=told[0])
    assert not await keys.add(key(), audit=told[1])
    assert await keys.revoke("backend", at=NOW, audit=told[2])
    assert not await keys.revoke("backend", at=NOW, audit=told[3])
    found = await repositories.events.find(EventFilter())
    assert {stored.event.id for stored in found} == {told[0].id, told[2].id}


async def test_whoever_is_erased_is_named_by_no_key(keys: ApiKeyRepository) -> None:
    theirs, other = replace(key(), by="operator:jo"), key("other")
    for one in (theirs, other):
        await keys.add(one)
    await keys.erase("jo")
    found = await keys.find(theirs.id)
    assert found is not None
    assert found.by.startswith("operator:erased-")
    assert replace(found, by="operator:jo") == theirs
    assert await keys.find(other.id) == other

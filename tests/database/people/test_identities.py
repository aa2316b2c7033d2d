"""Identities in the database: the contract, over every kind and the double (security rule 50)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.database.repositories import Repositories
from tests.database.organizations.scene import NOW, audit, disable

pytestmark = pytest.mark.anyio


def identity(connection: str = "conn_a", subject: str = "s-1", user_id: str = "jo") -> Identity:
    return Identity(
        connection=connection,
        subject=subject,
        user_id=user_id,
        email="jo@acme.example",
        created_at=NOW,
        seen_at=NOW,
    )


async def test_a_subject_leads_to_one_user_at_each_connection(repositories: Repositories) -> None:
    identities = repositories.identities
    assert await identities.add(identity(), audit=audit()) == "added"
    assert await identities.add(identity(user_id="al"), audit=audit(2)) == "known"
    assert await identities.add(identity("google")) == "added"
    assert await identities.add(identity(subject="S-1", user_id="al")) == "added", "not the same"
    assert await identities.find("conn_a", "s-1") == identity()
    assert await identities.find("conn_a", "s-2") is None
    assert await identities.list("jo") == [identity(), identity("google")]
    assert len(await repositories.events.find(EventFilter())) == 1
    first = await identities.list_of("conn_a", limit=1)
    assert [one.subject for one in first] == ["S-1"]
    assert await identities.list_of("conn_a", after="S-1") == [identity()]


async def test_what_the_provider_said_last_is_noted(repositories: Repositories) -> None:
    identities = repositories.identities
    await identities.add(identity())
    await identities.note_seen("conn_a", "s-1", email="new@acme.example", at=NOW + 9)
    await identities.note_seen("conn_a", "s-1", email="new@acme.example", at=NOW + 3)
    await identities.note_seen("conn_a", "s-2", email="x@acme.example", at=NOW)
    expected = replace(identity(), email="new@acme.example", seen_at=NOW + 9)
    assert await identities.list("jo") == [expected]


async def test_who_is_removed_is_nobody(repositories: Repositories) -> None:
    identities = repositories.identities
    await identities.add(identity())
    assert await identities.remove("conn_a", "s-1", audit=audit())
    assert not await identities.remove("conn_a", "s-1", audit=audit(2))
    assert await identities.find("conn_a", "s-1") is None
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_who_is_erased_has_none_and_gets_none(repositories: Repositories) -> None:
    identities = repositories.identities
    for one in (identity(), identity("google"), identity(subject="s-2", user_id="al")):
        await identities.add(one)
    await disable(repositories, "jo")
    await identities.erase("jo")
    assert await identities.list("jo") == []
    assert await identities.add(identity()) == "disabled"
    assert len(await identities.list("al")) == 1


async def test_of_several_first_logins_at_once_one_makes_it(parallel: list[Repositories]) -> None:
    added = [
        kept.identities.add(identity(user_id=f"u-{number}")) for number, kept in enumerate(parallel)
    ]
    found = await asyncio.gather(*added)
    assert sorted(found) == ["added", "known", "known", "known"]
    kept = await parallel[0].identities.find("conn_a", "s-1")
    assert kept is not None
    assert kept.user_id == f"u-{found.index('added')}"

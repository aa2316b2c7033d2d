"""Members in the database: the contract, over every kind and the double."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.organizations.organization import Member
from pwless_middleware.database.organizations.members import MemberRepository
from pwless_middleware.database.repositories import Repositories
from tests.database.organizations.scene import NOW, add_organizations, audit, disable

pytestmark = pytest.mark.anyio

JO = Member(
    organization="org_acme",
    user_id="jo",
    role="Büro",
    origin="scim",
    external_id="e-1",
    created_at=NOW,
)


@pytest.fixture
async def members(repositories: Repositories) -> MemberRepository:
    await add_organizations(repositories)
    return repositories.members


async def test_who_is_kept_is_found(repositories: Repositories, members: MemberRepository) -> None:
    al, jo_too = Member(organization="org_acme", user_id="al"), replace(JO, organization="org_beta")
    for one in (JO, al, jo_too):
        assert await members.put(one, seen=None) == "done"
    assert await members.find("org_acme", "jo") == JO
    assert await members.find("org_beta", "al") is None
    assert await members.find_by_external_id("org_acme", "e-1") == JO
    assert await members.find_by_external_id("org_acme", "e-2") is None
    assert await members.list("org_acme") == [al, JO]
    assert await members.list("org_acme", limit=1) == [al]
    assert await members.list("org_acme", after="al") == [JO]
    assert await members.list_of("jo") == [JO, jo_too]
    assert await members.count("org_acme") == 2


async def test_a_change_of_what_somebody_else_has_changed_is_stale(
    repositories: Repositories, members: MemberRepository
) -> None:
    out = replace(JO, is_active=False)
    assert await members.put(JO, seen=None, audit=audit()) == "done"
    assert await members.put(JO, seen=None, audit=audit(2)) == "stale"
    assert await members.put(out, seen=JO) == "done"
    assert await members.put(replace(JO, role="admin"), seen=JO, audit=audit(3)) == "stale"
    assert await members.find("org_acme", "jo") == out
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_an_external_id_is_of_one_member(
    repositories: Repositories, members: MemberRepository
) -> None:
    await members.put(JO, seen=None)
    other = replace(JO, user_id="al")
    assert await members.put(other, seen=None) == "taken"
    assert await members.put(replace(other, organization="org_beta"), seen=None) == "done"
    assert await members.put(replace(JO, role=""), seen=JO) == "done"


async def test_who_is_removed_is_none(
    repositories: Repositories, members: MemberRepository
) -> None:
    await members.put(JO, seen=None)
    assert await members.remove("org_acme", "jo", audit=audit())
    assert not await members.remove("org_acme", "jo", audit=audit(2))
    assert await members.list("org_acme") == []
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_who_is_erased_is_none_and_becomes_none(
    repositories: Repositories, members: MemberRepository
) -> None:
    al = Member(organization="org_acme", user_id="al")
    for one in (JO, replace(JO, organization="org_beta"), al):
        await members.put(one, seen=None)
    await disable(repositories, "jo")
    await members.erase("jo")
    assert await members.list_of("jo") == []
    assert await members.put(JO, seen=None) == "disabled"
    assert await members.list("org_acme") == [al]


async def test_of_several_who_take_one_external_id_at_once_one_has_it(
    parallel: list[Repositories],
) -> None:
    await add_organizations(parallel[0])
    made = [
        kept.members.put(replace(JO, user_id=f"u-{number}"), seen=None)
        for number, kept in enumerate(parallel)
    ]
    assert sorted(await asyncio.gather(*made)) == ["done", "taken", "taken", "taken"]

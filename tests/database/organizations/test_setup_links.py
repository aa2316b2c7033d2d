"""Set-up links in the database: the contract, over every kind and the double."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.organizations.organization import SetupLink
from pwless_middleware.database.organizations.setup_links import MOST
from pwless_middleware.database.repositories import Repositories
from tests.database.organizations.scene import NOW, add_organizations, audit

pytestmark = pytest.mark.anyio


def link(id: str = "setup_a", created_at: int = NOW) -> SetupLink:
    return SetupLink(
        id=id,
        organization="org_acme",
        created_at=created_at,
        expires_at=NOW + 100,
        by="operator:op",
    )


async def test_what_is_kept_is_found(repositories: Repositories) -> None:
    await add_organizations(repositories)
    links, newer = repositories.setup_links, link("setup_b", NOW + 1)
    assert await links.add(link(), audit=audit()) == "added"
    assert await links.add(newer) == "added"
    assert await links.find("setup_a") == link()
    assert await links.find("setup_c") is None
    assert await links.list("org_acme") == [newer, link()]
    assert await links.list("org_beta") == []
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_it_is_opened_once_and_in_time(repositories: Repositories) -> None:
    await add_organizations(repositories)
    links = repositories.setup_links
    await links.add(link())
    assert await links.open("setup_a", at=NOW + 100, audit=audit()) is None
    assert not await links.finish("setup_a", at=NOW, audit=audit())
    opened = replace(link(), opened_at=NOW + 99)
    assert await links.open("setup_a", at=NOW + 99, audit=audit(1)) == opened
    assert await links.open("setup_a", at=NOW + 99, audit=audit(2)) is None
    assert await links.open("setup_x", at=NOW) is None
    assert await links.finish("setup_a", at=NOW + 99, audit=audit(3))
    assert not await links.finish("setup_a", at=NOW + 99, audit=audit(4))
    assert await links.find("setup_a") == replace(opened, finished_at=NOW + 99)
    assert len(await repositories.events.find(EventFilter())) == 2


async def test_one_that_is_revoked_is_none(repositories: Repositories) -> None:
    await add_organizations(repositories)
    links = repositories.setup_links
    await links.add(link())
    await links.open("setup_a", at=NOW)
    assert not await links.revoke("org_beta", "setup_a", audit=audit())
    assert await links.revoke("org_acme", "setup_a", audit=audit())
    assert await links.find("setup_a") is None
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_those_that_are_over_make_room(repositories: Repositories) -> None:
    await add_organizations(repositories)
    links = repositories.setup_links
    for number in range(MOST):
        assert await links.add(link(f"setup_{number}")) == "added"
    assert await links.add(link("setup_x")) == "full"
    assert await links.add(link("setup_y", NOW + 100)) == "added"
    assert [one.id for one in await links.list("org_acme")] == ["setup_y"]


async def test_who_is_erased_has_made_none(repositories: Repositories) -> None:
    await add_organizations(repositories)
    await repositories.setup_links.add(link())
    await repositories.setup_links.erase("op")
    found = await repositories.setup_links.find("setup_a")
    assert found is not None
    assert found.by.startswith("operator:erased-")


async def test_of_several_who_open_it_at_once_one_does(parallel: list[Repositories]) -> None:
    await add_organizations(parallel[0])
    await parallel[0].setup_links.add(link())
    found = await asyncio.gather(*(kept.setup_links.open("setup_a", at=NOW) for kept in parallel))
    assert sum(one is not None for one in found) == 1

"""What holds of organizations: without I/O while held, in force at once when it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.database.database import Database
from pwless_middleware.flows.signals import held_lookups
from tests.organizations import add_connection, floor_of, make_organization_site, set_policy
from tests.sqlite_file import sqlite_url
from tests.support import make_site

pytestmark = pytest.mark.anyio


class Counter:
    """Count the questions to the database."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        fetch = Database.fetch

        async def count(database: Database, query: object) -> object:
            self.asked += 1
            return await fetch(database, query)  # type: ignore[arg-type]

        monkeypatch.setattr(Database, "fetch", count)


async def test_a_login_asks_the_database_once_for_what_does_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    floor = floor_of(make_organization_site(tmp_path))
    acme = await floor.organizations.create("Acme", external_id="7")
    await floor.domains.claim(acme.id, "acme.example")
    await floor.domains.mark_verified(acme.id, "acme.example")
    await floor.members.put(acme.id, "jo")
    counter, directory = Counter(monkeypatch), floor.directory
    for _ in range(3):
        assert await directory.find(acme.id) == acme
        assert await directory.find("7") == acme
        assert await directory.owner_of("acme.example") == acme
        assert await directory.owner_of("gmail.com") is None
        assert await directory.connections_of(acme.id) == []
        assert (await directory.membership("jo", acme.id)) is not None
        assert await directory.membership("jo", "org_other") is None
        assert [one.organization for one in await directory.memberships("jo")] == [acme.id]
    assert counter.asked == 6


async def test_every_change_is_in_force_in_the_other_process_at_once(tmp_path: Path) -> None:
    site = make_organization_site(tmp_path)
    here = floor_of(site)
    there = floor_of(make_site(database=sqlite_url(tmp_path), store=site.store))
    acme = await here.organizations.create("Acme", external_id="7")
    assert await there.directory.find("8") is None
    assert await there.directory.find("7") == acme
    changed = await here.organizations.change(acme.id, external_id="8", name="Acme AG")
    assert await there.directory.find("8") == changed
    assert await there.directory.find("7") is None
    assert await there.directory.find(acme.id) == changed

    policy = Policy(mfa="optional")
    await here.organizations.set_policy(acme.id, policy, seen=changed.version)
    found = await there.directory.find(acme.id)
    assert found is not None
    assert found.policy == policy

    assert await there.directory.owner_of("acme.example") is None
    await here.domains.claim(acme.id, "acme.example")
    assert await there.directory.owner_of("acme.example") is None, "it is not verified"
    await here.domains.mark_verified(acme.id, "acme.example")
    assert await there.directory.owner_of("acme.example") == found
    await here.domains.remove(acme.id, "acme.example")
    assert await there.directory.owner_of("acme.example") is None

    assert await there.directory.connections_of(acme.id) == []
    connection = await add_connection(here, acme.id)
    (known,) = await there.directory.connections_of(acme.id)
    assert (known.is_enabled, known.tested_at is not None) == (True, True)
    await here.connections.delete(connection.id)
    assert await there.directory.connections_of(acme.id) == []

    assert await there.directory.memberships("jo") == []
    await here.members.put(acme.id, "jo", role="admin")
    member = await there.directory.membership("jo", acme.id)
    assert member is not None
    assert member.role == "admin"
    await here.members.remove(acme.id, "jo")
    assert await there.directory.membership("jo", acme.id) is None

    await here.domains.claim(acme.id, "acme.example")
    await here.domains.mark_verified(acme.id, "acme.example")
    await here.organizations.delete(acme.id)
    assert await there.directory.find("8") is None
    assert await there.directory.find(acme.id) is None
    assert await there.directory.owner_of("acme.example") is None


async def test_who_is_erased_is_no_member_and_no_way_past_the_companys_login(
    tmp_path: Path,
) -> None:
    site = make_organization_site(tmp_path)
    floor, people = floor_of(site), site.passwordless.people
    jo = await people.create("jo@acme.example")
    acme = await floor.organizations.create("Acme")
    await set_policy(floor, acme.id, break_glass=frozenset({jo.email}))
    await floor.members.put(acme.id, jo.id)
    await floor.invitations.create(acme.id, "jo@acme.example")
    assert await floor.directory.memberships(jo.id)
    told = await people.export(jo.id)
    assert told["organizations"] == [{"organization": acme.id, "name": "Acme"}]
    assert [len(told[kind]) for kind in ("members", "invitations")] == [1, 1]  # type: ignore[arg-type]
    await people.delete(jo.id)
    assert await floor.directory.memberships(jo.id) == []
    found = await floor.directory.find(acme.id)
    assert found is not None
    assert found.policy.break_glass == frozenset()
    assert await floor.invitations.list(acme.id) == []


async def test_strangers_have_nothing_held_by_asking_for_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a login page's query says pushes out nothing, and what is too long asks nothing."""
    floor = floor_of(make_organization_site(tmp_path))
    acme = await floor.organizations.create("Acme", external_id="7")
    await floor.directory.find("7")
    monkeypatch.setattr(held_lookups, "MOST", 2)
    counter = Counter(monkeypatch)
    for key in ("a", "b", "c", "org_a", "org_b", "org_c"):
        assert await floor.directory.find(key) is None
    assert counter.asked == 6
    assert await floor.directory.find("7") == acme
    assert await floor.directory.find("x" * 8_000) is None
    assert counter.asked == 6


async def test_what_no_database_takes_finds_nothing(tmp_path: Path) -> None:
    floor = floor_of(make_organization_site(tmp_path))
    for key in ("org_\0", "\0", "org_x", "x"):
        assert await floor.directory.find(key) is None

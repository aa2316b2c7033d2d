"""Invitations in the database: the contract, over every kind and the double."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.organizations.organization import Invitation, Member
from pwless_middleware.core.people.person import Place
from pwless_middleware.database.repositories import Repositories
from tests.database.organizations.scene import NOW, add_organizations, audit, disable

pytestmark = pytest.mark.anyio

JO = Member(organization="org_acme", user_id="jo", role="admin", origin="invitation")


def invitation(
    id: str = "inv_a", email: str = "jo@acme.example", created_at: int = NOW
) -> Invitation:
    return Invitation(
        id=id,
        organization="org_acme",
        email=Address(email),
        role="admin",
        created_at=created_at,
        expires_at=NOW + 100,
        by="operator:op",
    )


async def test_what_is_kept_is_found(repositories: Repositories) -> None:
    await add_organizations(repositories)
    invitations = repositories.invitations
    other = invitation("inv_b", "al@acme.example", NOW + 1)
    for number, one in enumerate((invitation(), other)):
        assert await invitations.add(one, audit=audit(number)) == "added"
    assert await invitations.find("inv_a") == invitation()
    assert await invitations.find("inv_c") is None
    assert await invitations.list("org_acme") == [other, invitation()]
    assert await invitations.list("org_acme", limit=1) == [other]
    assert await invitations.list("org_acme", after=Place(NOW + 1, "inv_b")) == [invitation()]
    assert await invitations.list("org_beta") == []
    open_now = await invitations.list_open(Address("jo@acme.example"), now=NOW + 99)
    assert open_now == [invitation()]
    assert await invitations.list_open(Address("jo@acme.example"), now=NOW + 100) == []
    assert len(await repositories.events.find(EventFilter())) == 2


async def test_a_new_one_takes_the_place_of_an_older_one(repositories: Repositories) -> None:
    await add_organizations(repositories)
    invitations = repositories.invitations
    await invitations.add(invitation())
    await invitations.add(invitation("inv_b"))
    assert await invitations.find("inv_a") is None
    await invitations.accept("inv_b", JO, at=NOW)
    await invitations.add(invitation("inv_c"))
    assert [one.id for one in await invitations.list("org_acme")] == ["inv_c", "inv_b"]


async def test_it_makes_one_a_member_once_and_in_time(repositories: Repositories) -> None:
    await add_organizations(repositories)
    accept, kept = repositories.invitations.accept, repositories
    await kept.invitations.add(invitation())
    assert await accept("inv_a", JO, at=NOW + 100) == "expired"
    assert await accept("inv_a", replace(JO, organization="org_beta"), at=NOW) == "expired"
    assert await accept("inv_x", JO, at=NOW) == "expired"
    assert await kept.members.list_of("jo") == []
    assert await accept("inv_a", JO, at=NOW + 99, audit=audit()) == "accepted"
    assert await kept.members.list_of("jo") == [JO]
    assert await accept("inv_a", JO, at=NOW + 99, audit=audit(2)) == "expired"
    assert await accept("inv_a", replace(JO, user_id="al"), at=NOW + 99) == "expired"
    assert await kept.invitations.find("inv_a") == replace(invitation(), accepted_at=NOW + 99)
    assert not await kept.invitations.revoke("org_acme", "inv_a")
    assert len(await kept.events.find(EventFilter())) == 1


async def test_who_is_one_already_has_the_role_from_then_on(repositories: Repositories) -> None:
    await add_organizations(repositories)
    there = replace(JO, role="", origin="scim", external_id="e-1")
    await repositories.members.put(there, seen=None)
    await repositories.invitations.add(invitation())
    assert await repositories.invitations.accept("inv_a", JO, at=NOW) == "accepted"
    assert await repositories.members.list_of("jo") == [replace(there, role="admin")]


async def test_no_invitation_lifts_what_was_switched_off(repositories: Repositories) -> None:
    await add_organizations(repositories)
    out = replace(JO, role="", is_active=False)
    await repositories.members.put(out, seen=None)
    await repositories.invitations.add(invitation())
    assert await repositories.invitations.accept("inv_a", JO, at=NOW) == "disabled"
    assert await repositories.members.list_of("jo") == [out]


async def test_the_invitation_of_an_address_is_forgotten(repositories: Repositories) -> None:
    await add_organizations(repositories)
    invitations, jo = repositories.invitations, Address("jo@acme.example")
    await invitations.add(invitation("inv_a"))
    await invitations.accept("inv_a", JO, at=NOW)
    await invitations.add(invitation("inv_b"))
    await invitations.add(invitation("inv_c", "al@acme.example"))
    await invitations.revoke_of("org_beta", jo)
    assert await invitations.find("inv_b") is not None
    await invitations.revoke_of("org_acme", jo)
    assert {one.id for one in await invitations.list("org_acme")} == {"inv_a", "inv_c"}


async def test_nobody_becomes_a_member_who_is_being_deleted(repositories: Repositories) -> None:
    await add_organizations(repositories)
    await repositories.invitations.add(invitation())
    await disable(repositories, "jo")
    assert await repositories.invitations.accept("inv_a", JO, at=NOW) == "disabled"
    assert await repositories.invitations.find("inv_a") == invitation()


async def test_one_that_is_revoked_is_none(repositories: Repositories) -> None:
    await add_organizations(repositories)
    invitations = repositories.invitations
    await invitations.add(invitation())
    assert not await invitations.revoke("org_beta", "inv_a", audit=audit())
    assert await invitations.revoke("org_acme", "inv_a", audit=audit())
    assert await invitations.accept("inv_a", JO, at=NOW) == "expired"
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_those_that_are_over_make_room(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_organizations(repositories)
    add = repositories.invitations.add
    for place in ("database.organizations", "database.memory"):
        monkeypatch.setattr(f"pwless_middleware.{place}.invitations.MOST", 2)
    for id in "ab":
        assert await add(invitation(f"inv_{id}", f"{id}@acme.example")) == "added"
    assert await add(invitation("inv_c", "c@acme.example")) == "full"
    assert await add(invitation("inv_d", "d@acme.example", NOW + 100)) == "added"
    assert [one.id for one in await repositories.invitations.list("org_acme")] == ["inv_d"]


async def test_who_is_erased_was_never_invited_and_has_invited_nobody(
    repositories: Repositories,
) -> None:
    await add_organizations(repositories)
    invitations = repositories.invitations
    for one in (invitation(), invitation("inv_b", "al@acme.example")):
        await invitations.add(one)
    assert await invitations.list_about(["jo@acme.example"]) == [invitation()]
    await invitations.erase("op", ["jo@acme.example"])
    (left,) = await invitations.list("org_acme")
    assert left.id == "inv_b"
    assert left.by.startswith("operator:erased-")


async def test_of_several_who_accept_at_once_one_is_a_member(
    parallel: list[Repositories],
) -> None:
    await add_organizations(parallel[0])
    await parallel[0].invitations.add(invitation())
    found = await asyncio.gather(
        *(
            kept.invitations.accept("inv_a", replace(JO, user_id=f"u-{number}"), at=NOW)
            for number, kept in enumerate(parallel)
        )
    )
    assert sorted(found) == ["accepted", "expired", "expired", "expired"]
    assert await parallel[0].members.count("org_acme") == 1

"""Organizations in the database: the contract, over every kind and the double."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.organizations.connection import Connection, Identity
from pwless_middleware.core.organizations.organization import (
    Domain,
    Invitation,
    Member,
    Organization,
    SetupLink,
)
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.database.organizations.organizations import place_of
from pwless_middleware.database.repositories import Repositories
from tests.database.organizations.scene import ACME, BETA, NOW, add_organizations, audit

pytestmark = pytest.mark.anyio

REQUIRED = Policy(sso="required")


async def test_what_is_kept_is_found(repositories: Repositories) -> None:
    await add_organizations(repositories)
    organizations = repositories.organizations
    assert await organizations.find("org_acme") == ACME
    assert await organizations.find_by_external_id("customer 7") == ACME
    assert await organizations.find_by_external_id("customer 8") is None
    assert await organizations.find("org_none") is None
    assert await organizations.find_several({"org_beta", "org_acme", "org_x"}) == [BETA, ACME]
    assert await organizations.count() == 2


async def test_they_are_listed_by_name_and_searched_in_whichever_case(
    repositories: Repositories,
) -> None:
    await add_organizations(repositories)
    twin = Organization(id="org_twin", name="BETA", created_at=NOW)
    await repositories.organizations.put(twin, seen=None)
    find = repositories.organizations.list
    assert await find() == [BETA, twin, ACME], "by name, not by the case of letters"
    first = await find(limit=1)
    assert await find(after=place_of(first[0])) == [twin, ACME]
    assert await find(search="ÄCM") == [ACME]
    assert await find(search="et", after=place_of(BETA)) == [twin]
    assert await find(search="%") == []


async def test_a_change_of_what_somebody_else_has_changed_is_stale(
    repositories: Repositories,
) -> None:
    await add_organizations(repositories)
    put = repositories.organizations.put
    mine = replace(BETA, name="Beta AG", version=2)
    assert await put(replace(BETA, color="#000", version=2), seen=1, audit=audit()) == "done"
    assert await put(mine, seen=1, audit=audit(2)) == "stale"
    assert await put(BETA, seen=None) == "stale", "it is there"
    assert await put(replace(mine, id="org_gone"), seen=1) == "stale"
    assert len(await repositories.events.find(EventFilter())) == 1
    assert await put(mine, seen=2) == "done"
    assert await repositories.organizations.find("org_beta") == mine


async def test_an_external_id_is_of_one_organization(repositories: Repositories) -> None:
    await add_organizations(repositories)
    other = replace(BETA, external_id="customer 7", version=2)
    assert await repositories.organizations.put(other, seen=1) == "taken"
    free = replace(ACME, external_id=None, version=2)
    assert await repositories.organizations.put(free, seen=1) == "done"
    assert await repositories.organizations.put(other, seen=1) == "done"


async def test_the_companys_login_is_required_only_once_one_has_worked(
    repositories: Repositories,
) -> None:
    """Security rule 54: else nobody could sign in any more."""
    await add_organizations(repositories)
    put, required = repositories.organizations.put, replace(BETA, policy=REQUIRED, version=2)
    assert await put(required, seen=1) == "no_connection"
    connection = Connection(
        id="conn_a", organization="org_beta", kind="oidc", name="Okta", is_enabled=True
    )
    await repositories.connections.put(connection, seen=None)
    assert await put(required, seen=1) == "no_connection", "it has never worked"
    await repositories.connections.mark_tested("conn_a", at=NOW)
    assert await put(required, seen=1) == "done"
    # What is required already is asked no more, whatever else is changed.
    assert [one.id for one in await repositories.organizations.list_requiring_sso()] == ["org_beta"]
    off = replace(connection, id="conn_b", version=1)
    await repositories.connections.put(off, seen=None)
    assert await put(replace(required, name="Beta AG", version=3), seen=2) == "done"


async def test_all_that_is_an_organizations_own_goes_with_it(repositories: Repositories) -> None:
    await add_organizations(repositories)
    kept = repositories
    for organization in ("org_acme", "org_beta"):
        id = organization.removeprefix("org_")
        domain = Domain(name=f"{id}.example", organization=organization, token="t", created_at=NOW)
        connection = Connection(id=f"conn_{id}", organization=organization, kind="saml", name="x")
        identity = Identity(
            connection=f"conn_{id}", subject="s", user_id="jo", created_at=NOW, seen_at=NOW
        )
        invitation = Invitation(
            id=f"inv_{id}",
            organization=organization,
            email=Address("al@acme.example"),
            created_at=NOW,
            expires_at=NOW + 9,
            by="python",
        )
        link = SetupLink(
            id=f"setup_{id}",
            organization=organization,
            created_at=NOW,
            expires_at=NOW + 9,
            by="python",
        )
        assert await kept.domains.add(domain) == "added"
        assert await kept.connections.put(connection, seen=None) == "done"
        assert await kept.identities.add(identity) == "added"
        assert await kept.members.put(Member(organization=organization, user_id="jo"), seen=None)
        assert await kept.invitations.add(invitation) == "added"
        assert await kept.setup_links.add(link) == "added"
    assert await kept.organizations.delete("org_acme", audit=audit())
    assert not await kept.organizations.delete("org_acme", audit=audit(2))
    assert len(await kept.events.find(EventFilter())) == 1
    assert await kept.organizations.find("org_acme") is None
    assert await kept.domains.list_claims("") == await kept.domains.list("org_beta")
    assert [one.id for one in await kept.connections.list_all()] == ["conn_beta"]
    assert [one.connection for one in await kept.identities.list("jo")] == ["conn_beta"]
    assert [one.organization for one in await kept.members.list_of("jo")] == ["org_beta"]
    found = await kept.invitations.list_about(["al@acme.example"])
    assert [one.id for one in found] == ["inv_beta"]
    assert await kept.setup_links.find("setup_acme") is None
    assert await kept.setup_links.find("setup_beta") is not None


async def test_nothing_is_added_to_an_organization_that_is_gone(
    repositories: Repositories,
) -> None:
    kept, gone = repositories, "org_gone"
    domain = Domain(name="a.example", organization=gone, token="t", created_at=NOW)
    connection = Connection(id="conn_a", organization=gone, kind="saml", name="x")
    invitation = Invitation(
        id="inv_a",
        organization=gone,
        email=Address("al@acme.example"),
        created_at=NOW,
        expires_at=NOW + 9,
        by="python",
    )
    link = SetupLink(
        id="setup_a", organization=gone, created_at=NOW, expires_at=NOW + 9, by="python"
    )
    assert await kept.domains.add(domain) == "gone"
    assert await kept.connections.put(connection, seen=None) == "gone"
    assert await kept.members.put(Member(organization=gone, user_id="jo"), seen=None) == "gone"
    assert await kept.invitations.add(invitation) == "gone"
    assert await kept.setup_links.add(link) == "gone"


async def test_who_is_erased_stands_in_no_policy(repositories: Repositories) -> None:
    await add_organizations(repositories)
    organizations, jo = repositories.organizations, "jo@acme.example"
    named = replace(
        BETA,
        policy=Policy(break_glass=frozenset({Address(jo), Address("ajo@acme.example")})),
        version=2,
    )
    await organizations.put(named, seen=1)
    assert await organizations.list_break_glass([jo]) == [ACME, named]
    assert await organizations.list_break_glass(["o@acme.example"]) == []
    assert await organizations.erase_break_glass([jo, "x@y.example"]) == ["org_acme", "org_beta"]
    assert await organizations.list_break_glass([jo]) == []
    found = await organizations.find("org_beta")
    assert found is not None
    assert found.policy.break_glass == frozenset({Address("ajo@acme.example")})
    assert found.version == 3


async def test_of_several_who_change_it_at_once_one_does(parallel: list[Repositories]) -> None:
    await parallel[0].organizations.put(BETA, seen=None)
    changes = [
        kept.organizations.put(replace(BETA, name=f"Beta {number}", version=2), seen=1)
        for number, kept in enumerate(parallel)
    ]
    assert sorted(await asyncio.gather(*changes)) == ["done", "stale", "stale", "stale"]


async def test_of_several_who_take_one_external_id_at_once_one_has_it(
    parallel: list[Repositories],
) -> None:
    made = [
        kept.organizations.put(replace(ACME, id=f"org_{number}"), seen=None)
        for number, kept in enumerate(parallel)
    ]
    assert sorted(await asyncio.gather(*made)) == ["done", "taken", "taken", "taken"]

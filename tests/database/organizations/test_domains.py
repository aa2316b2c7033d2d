"""Domains in the database: the contract, over every kind and the double (security rule 54)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.organizations.organization import Domain
from pwless_middleware.database.repositories import Repositories
from tests.database.organizations.scene import NOW, add_organizations, audit

pytestmark = pytest.mark.anyio


def domain(organization: str = "org_acme", name: str = "acme.example") -> Domain:
    return Domain(name=name, organization=organization, token="t0ken", created_at=NOW)


async def test_a_claim_binds_nobody(repositories: Repositories) -> None:
    await add_organizations(repositories)
    domains = repositories.domains
    assert await domains.add(domain(), audit=audit()) == "added"
    assert await domains.add(domain(), audit=audit(2)) == "known"
    assert await domains.add(domain("org_beta")) == "added", "anybody may say so"
    assert await domains.find("org_acme", "acme.example") == domain()
    assert await domains.owner_of("acme.example") is None
    assert await domains.list("org_acme") == [domain()]
    assert len(await repositories.events.find(EventFilter())) == 1


async def test_a_verified_domain_is_one_organizations(repositories: Repositories) -> None:
    await add_organizations(repositories)
    domains = repositories.domains
    for one in (domain(), domain("org_beta")):
        await domains.add(one)
    assert await domains.verify("org_beta", "beta.example", at=NOW) == "gone"
    assert await domains.verify("org_acme", "acme.example", at=NOW + 1, audit=audit()) == "verified"
    assert await domains.verify("org_beta", "acme.example", at=NOW + 2, audit=audit(2)) == "taken"
    assert await domains.verify("org_acme", "acme.example", at=NOW + 3, audit=audit(3))
    verified = replace(domain(), verified_at=NOW + 1, checked_at=NOW + 3)
    assert await domains.owner_of("acme.example") == verified
    assert len(await repositories.events.find(EventFilter())) == 1
    assert await domains.list_verified() == [verified]
    assert await domains.list_verified(after="acme.example") == []
    # Given up by the one, it is the other's.
    assert await domains.remove("org_acme", "acme.example")
    assert not await domains.remove("org_acme", "acme.example", audit=audit(4))
    assert await domains.verify("org_beta", "acme.example", at=NOW + 4) == "verified"


async def test_a_record_that_is_gone_is_noted_and_unbinds_nobody(
    repositories: Repositories,
) -> None:
    await add_organizations(repositories)
    domains, (organization, name) = repositories.domains, ("org_acme", "acme.example")
    await domains.add(domain())
    found = await domains.note_check(organization, name, at=NOW, is_there=False, audit=audit())
    assert found == replace(domain(), checked_at=NOW), "what is not verified does not fail"
    await domains.verify(organization, name, at=NOW)
    for at in (NOW + 1, NOW + 2):
        found = await domains.note_check(
            organization, name, at=at, is_there=False, audit=audit(at - NOW)
        )
    expected = replace(domain(), verified_at=NOW, checked_at=NOW + 2, failing_since=NOW + 1)
    assert found == expected == await domains.owner_of(name)
    await domains.note_check(organization, name, at=NOW + 3, is_there=True, audit=audit(3))
    assert (await domains.list(organization))[0].failing_since is None
    assert len(await repositories.events.find(EventFilter())) == 2, "as it began, and as it ended"
    assert await domains.note_check("org_beta", name, at=NOW, is_there=True) is None
    # One that a person knows has no record that could be missed, until it is found.
    await domains.verify(organization, name, at=NOW + 4, has_record=False)
    known = replace(domain(), verified_at=NOW)
    found = await domains.note_check(organization, name, at=NOW + 5, is_there=False, audit=audit(4))
    assert found == known == await domains.owner_of(name)
    assert len(await repositories.events.find(EventFilter())) == 2
    found = await domains.note_check(organization, name, at=NOW + 6, is_there=True)
    assert found == replace(known, checked_at=NOW + 6)


async def test_those_whose_record_is_missing_are_listed_the_longest_first(
    repositories: Repositories,
) -> None:
    await add_organizations(repositories)
    domains, organization = repositories.domains, "org_acme"
    for at, name in ((NOW + 2, "a.example"), (NOW + 1, "b.example"), (NOW, "c.example")):
        await domains.add(domain(name=name))
        await domains.verify(organization, name, at=NOW)
        await domains.note_check(organization, name, at=at, is_there=name == "c.example")
    await domains.add(domain("org_beta", "d.example"))
    await domains.note_check("org_beta", "d.example", at=NOW, is_there=False)
    names = [one.name for one in await domains.list_failing(limit=9)]
    assert names == ["b.example", "a.example"]
    assert [one.name for one in await domains.list_failing(limit=1)] == ["b.example"]


async def test_domains_are_found_by_how_they_begin(repositories: Repositories) -> None:
    await add_organizations(repositories)
    for one in (domain(), domain("org_beta"), domain("org_beta", "acme.test")):
        await repositories.domains.add(one)
    find = repositories.domains.list_claims
    assert await find("acme.e") == [domain(), domain("org_beta")]
    assert len(await find("acme")) == 3
    assert len(await find("acme", limit=1)) == 1
    assert await find("b") == []


async def test_an_organization_has_no_more_than_can_be_checked(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_organizations(repositories)
    for place in ("database.organizations", "database.memory"):
        monkeypatch.setattr(f"pwless_middleware.{place}.domains.MOST", 2)
    for number in range(2):
        assert await repositories.domains.add(domain(name=f"a{number}.example")) == "added"
    assert await repositories.domains.add(domain(name="b.example")) == "full"


async def test_of_several_who_verify_one_domain_one_has_it(parallel: list[Repositories]) -> None:
    await add_organizations(parallel[0])
    for organization in ("org_acme", "org_beta"):
        await parallel[0].domains.add(domain(organization))
    pairs = zip(parallel, ("org_acme", "org_beta") * 2, strict=True)
    found = await asyncio.gather(
        *(kept.domains.verify(organization, "acme.example", at=NOW) for kept, organization in pairs)
    )
    assert sorted(found) == ["taken", "taken", "verified", "verified"]

"""Domains that organizations claim, and those that are theirs (security rule 54)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.errors import NotFound
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from tests.organizations import floor_of, make_organization_site, newest_event, refusal_of
from tests.support import Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_organization_site(tmp_path)


@pytest.fixture
def floor(site: Site) -> OrganizationFloor:
    return floor_of(site)


async def test_a_domain_is_taken_over_by_no_second_customer(
    site: Site, floor: OrganizationFloor
) -> None:
    acme = await floor.organizations.create("Acme")
    evil = await floor.organizations.create("Evil")
    domains = floor.domains
    for organization in (evil, acme):
        claimed = await domains.claim(organization.id, " ACME.example. ")
        assert claimed.name == "acme.example"
        assert await domains.claim(organization.id, "acme.example") == claimed, "the same token"
    first, second = await domains.list_claims("acme")
    assert first.token != second.token
    assert await floor.directory.owner_of("acme.example") is None
    await domains.mark_verified(acme.id, "acme.example", by="operator:jo")
    assert newest_event(site, "domain.verified").by == "operator:jo"
    taken = domains.mark_verified(evil.id, "acme.example")
    assert await refusal_of(taken) == ("domain", "taken")
    with pytest.raises(NotFound):
        await domains.mark_verified(evil.id, "other.example")
    assert await floor.directory.owner_of("acme.example") == acme


async def test_a_record_that_vanishes_is_told_once_and_unbinds_nobody(
    site: Site, floor: OrganizationFloor
) -> None:
    acme = await floor.organizations.create("Acme")
    await floor.domains.claim(acme.id, "acme.example")
    await floor.domains.mark_verified(acme.id, "acme.example", has_record=True)
    for _ in range(2):
        await floor.domains.note_check(acme.id, "acme.example", is_there=False)
    assert len(site.passwordless.events.recent(kind="domain.missing")) == 1
    assert await floor.directory.owner_of("acme.example") == acme
    await floor.domains.note_check(acme.id, "acme.example", is_there=True)
    assert len(site.passwordless.events.recent(kind="domain.found")) == 1
    # Where a person knows it, nobody is warned of a record that never was.
    await floor.domains.mark_verified(acme.id, "acme.example")
    by_hand = await floor.domains.note_check(acme.id, "acme.example", is_there=False)
    assert (by_hand.checked_at, by_hand.failing_since) == (None, None)
    assert await floor.domains.list_failing() == []
    await floor.domains.note_check(acme.id, "acme.example", is_there=True)
    await floor.domains.note_check(acme.id, "acme.example", is_there=False)
    assert len(site.passwordless.events.recent(kind="domain.missing")) == 2


async def test_what_is_wrong_is_named(floor: OrganizationFloor) -> None:
    acme = await floor.organizations.create("Acme")
    claim = floor.domains.claim
    assert await refusal_of(claim(acme.id, "nonsense")) == ("domain", "domain")
    assert await refusal_of(claim(acme.id, "gmail.com")) == ("domain", "mailbox_provider")
    assert await refusal_of(claim(acme.id, "co.uk")) == ("domain", "public_suffix")
    with pytest.raises(NotFound):
        await claim("org_gone", "acme.example")
    with pytest.raises(NotFound):
        await floor.domains.remove(acme.id, "acme.example")

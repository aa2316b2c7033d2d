"""Domains verified by their DNS records, and looked at every day."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.errors import NotFound
from pwless_middleware.flows.organizations import domain_verification
from pwless_middleware.flows.organizations.domain_verification import DAY, DomainCheck
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from tests.dns_zone import Zone
from tests.organizations import floor_of, make_organization_site
from tests.support import Site

pytestmark = pytest.mark.anyio

ACME = "acme.example"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_organization_site(tmp_path)


@pytest.fixture
def floor(site: Site) -> OrganizationFloor:
    return floor_of(site)


@pytest.fixture
def zone(floor: OrganizationFloor) -> Zone:
    return Zone(floor)


async def claim(floor: OrganizationFloor, zone: Zone | None, name: str = ACME) -> str:
    """Have an organization claim a domain, with its record in the zone; return its id."""
    organization = await floor.organizations.create("Acme")
    domain = await floor.domains.claim(organization.id, name)
    if zone is not None:
        zone.add(domain)
    return organization.id


async def verify(floor: OrganizationFloor, id: str) -> DomainCheck:
    return await floor.verification.verify(id, " ACME.example ", by="operator:jo")


async def test_a_domain_with_its_record_is_the_organizations_own(
    floor: OrganizationFloor, zone: Zone
) -> None:
    id = await claim(floor, zone)
    for _ in range(2):
        check = await verify(floor, id)
        assert check.is_good
        assert check.sentence == "The domain is verified."
        assert check.domain.verified_at is not None
    owner = await floor.directory.owner_of(ACME)
    assert owner is not None
    assert owner.id == id


async def test_a_domain_binds_nobody_while_its_record_is_not_there(
    floor: OrganizationFloor, zone: Zone
) -> None:
    """Security rule 54: also where the record of another organization's claim is."""
    await claim(floor, zone)
    id = await claim(floor, None)
    check = await verify(floor, id)
    assert (check.is_good, check.state) == (False, "other_value")
    assert check.domain.verified_at is None
    assert await floor.directory.owner_of(ACME) is None


async def test_a_domain_has_one_owner(floor: OrganizationFloor, zone: Zone) -> None:
    """Both have shown that they run its DNS: who was first keeps it."""
    first = await claim(floor, zone)
    assert (await verify(floor, first)).is_good
    second = await claim(floor, zone)
    check = await verify(floor, second)
    assert (check.is_good, check.state) == (False, "taken")
    assert "Another organization" in check.sentence
    owner = await floor.directory.owner_of(ACME)
    assert owner is not None
    assert owner.id == first


async def test_nothing_is_noted_while_dns_does_not_answer(
    floor: OrganizationFloor, zone: Zone
) -> None:
    id = await claim(floor, zone)
    zone.is_down = True
    check = await verify(floor, id)
    assert (check.is_good, check.state, check.domain.checked_at) == (False, "unavailable", None)


async def test_nobody_verifies_what_the_organization_has_not_claimed(
    floor: OrganizationFloor, zone: Zone
) -> None:
    await claim(floor, zone)
    other = await floor.organizations.create("Other")
    with pytest.raises(NotFound):
        await verify(floor, other.id)
    assert zone.asked == 0


async def test_verified_domains_are_looked_at_once_a_day(
    site: Site, floor: OrganizationFloor, zone: Zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain_verification, "PAGE", 2)
    ids = [await claim(floor, zone, name) for name in ("a.example", "b.example", "c.example")]
    for id, name in zip(ids, ("a", "b", "c"), strict=True):
        assert (await floor.verification.verify(id, f"{name}.example")).is_good
    await claim(floor, None, "d.example")
    zone.asked = 0
    await floor.verification.check_all()
    assert zone.asked == 0
    site.clock.advance(DAY)
    for _ in range(2):
        await floor.verification.check_all()
        assert zone.asked == 3


async def test_a_vanished_record_is_told_and_unbinds_nobody(
    site: Site, floor: OrganizationFloor, zone: Zone
) -> None:
    id = await claim(floor, zone)
    await verify(floor, id)
    records, events = dict(zone.records), site.passwordless.events
    for is_there in (False, False, True):
        zone.records = records if is_there else {}
        site.clock.advance(DAY)
        await floor.verification.check_all()
    (missing,) = events.recent(kind="domain.missing")
    assert (missing.by, missing.organization, missing.details) == ("pwless", id, {"domain": ACME})
    assert len(events.recent(kind="domain.found")) == 1
    assert await floor.directory.owner_of(ACME) is not None


async def test_an_outage_of_dns_is_no_vanished_record(
    site: Site, floor: OrganizationFloor, zone: Zone
) -> None:
    id = await claim(floor, zone)
    await verify(floor, id)
    site.clock.advance(DAY)
    zone.is_down = True
    await floor.verification.check_all()
    domain = await floor.domains.require(id, ACME)
    assert domain.failing_since is None
    assert domain.checked_at is not None
    assert domain.checked_at < site.clock()

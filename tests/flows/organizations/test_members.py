"""Members: made and changed, and out at once where they are none any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.core.organizations.organization import Member, Organization
from pwless_middleware.database.organizations.members import MemberChange
from pwless_middleware.errors import NotFound, StoreError
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from tests.breakable_store import BreakableStore
from tests.organizations import floor_of, make_organization_site, newest_event, refusal_of
from tests.support import Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_organization_site(tmp_path)


@pytest.fixture
def floor(site: Site) -> OrganizationFloor:
    return floor_of(site)


@pytest.fixture
async def acme(floor: OrganizationFloor) -> Organization:
    return await floor.organizations.create("Acme")


async def test_who_is_put_is_a_member_and_keeps_what_is_not_said(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    made = await floor.members.put(
        acme.id, "jo", role="admin", origin="scim", external_id="e-1", by="scim"
    )
    assert (made.role, made.origin, made.external_id, made.is_active) == (
        *("admin", "scim", "e-1"),
        True,
    )
    event = newest_event(site, "member.added")
    assert (event.by, event.user_id, event.organization) == ("scim", "jo", acme.id)
    assert event.details == {"role": "admin", "origin": "scim"}
    changed = await floor.members.put(acme.id, "jo", role="", origin="api")
    assert (changed.role, changed.origin, changed.external_id) == ("", "scim", "e-1")
    assert newest_event(site, "member.changed").details == {
        "from": '{"role": "admin"}',
        "to": '{"role": ""}',
    }
    assert await floor.members.find_by_external_id(acme.id, "e-1") == changed
    assert await floor.members.list(acme.id) == [changed]
    assert await floor.members.count(acme.id) == 1


async def test_what_is_wrong_is_named(floor: OrganizationFloor, acme: Organization) -> None:
    await floor.members.put(acme.id, "al", external_id="e-1")
    put = floor.members.put
    assert await refusal_of(put(acme.id, "jo", role="x" * 65)) == ("role", "role")
    assert await refusal_of(put(acme.id, "jo", role="a\nb")) == ("role", "role")
    assert await refusal_of(put(acme.id, "jo", external_id="e-1")) == ("external_id", "taken")
    with pytest.raises(NotFound):
        await put("org_gone", "jo")
    for work in (
        floor.members.set_role(acme.id, "jo", "x"),
        floor.members.deactivate(acme.id, "jo"),
        floor.members.remove(acme.id, "jo"),
    ):
        with pytest.raises(NotFound):
            await work


async def test_nobody_becomes_one_as_whom_nobody_can_sign_in(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    jo = await site.passwordless.people.create("jo@acme.example")
    await site.passwordless.people.disable(jo.id)
    assert await refusal_of(floor.members.put(acme.id, jo.id)) == ("user_id", "disabled")


@pytest.mark.parametrize("verb", ["deactivate", "remove"])
async def test_a_role_that_is_given_meanwhile_lets_nobody_in_again(
    floor: OrganizationFloor, acme: Organization, verb: str
) -> None:
    """A login that brings a role may end as the directory says that the person has left."""
    await floor.members.put(acme.id, "jo", role="reader")
    kept = floor.members._members
    put = kept.put

    async def put_late(member: Member, **options: Any) -> MemberChange:
        kept.put = put  # type: ignore[method-assign]
        await getattr(floor.members, verb)(acme.id, "jo")
        return await put(member, **options)

    kept.put = put_late  # type: ignore[method-assign]
    if verb == "remove":
        with pytest.raises(NotFound):
            await floor.members.set_role(acme.id, "jo", "admin")
        assert await floor.members.find(acme.id, "jo") is None
    else:
        assert not (await floor.members.set_role(acme.id, "jo", "admin")).is_active


async def test_who_is_deactivated_stays_one(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    await floor.members.put(acme.id, "jo", role="admin")
    await floor.members.deactivate(acme.id, "jo", by="operator:al")
    assert newest_event(site, "member.deactivated").by == "operator:al"
    changed = await floor.members.set_role(acme.id, "jo", "user")
    assert (changed.role, changed.is_active) == ("user", False)
    assert (await floor.members.activate(acme.id, "jo")).is_active
    assert newest_event(site, "member.activated").details is None
    await floor.members.put(acme.id, "jo", role="owner", is_active=False)
    details = newest_event(site, "member.deactivated").details
    assert details == {"from": '{"role": "user"}', "to": '{"role": "owner"}'}


async def test_an_invitation_makes_who_is_invited_a_member(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    from pwless_middleware.core.addresses.address import Address
    from pwless_middleware.errors import LoginDenied, RequestExpired

    sent = []

    async def send(invitation: object) -> None:
        sent.append(invitation)

    floor.invitations.send_by(send)
    made = await floor.invitations.create(acme.id, "Jo@Acme.example", role="admin", by="server:b")
    assert sent == [made]
    assert made.expires_at == site.clock.now + 7 * 86_400
    jo, al = Address("jo@acme.example"), Address("al@acme.example")
    assert await floor.invitations.list_open(jo) == [made]
    with pytest.raises(LoginDenied):
        await floor.invitations.accept(made, user_id="al", email=al)
    member = await floor.invitations.accept(made, user_id="jo", email=jo)
    assert (member.role, member.origin) == ("admin", "invitation")
    assert newest_event(site, "member.joined").details == {"id": made.id, "role": "admin"}
    with pytest.raises(RequestExpired):
        await floor.invitations.accept(made, user_id="jo", email=jo)
    with pytest.raises(NotFound):
        await floor.invitations.revoke(acme.id, made.id)
    quiet = await floor.invitations.create(acme.id, "al@acme.example", mail=False, expires_in=3600)
    assert sent == [made]
    site.clock.advance(3600)
    with pytest.raises(RequestExpired):
        await floor.invitations.accept(quiet, user_id="al", email=al)
    create = floor.invitations.create
    assert await refusal_of(create(acme.id, "nobody")) == ("email", "email")
    assert await refusal_of(create(acme.id, "jo@a.example", expires_in=1)) == (
        "expires_in",
        "range",
    )


async def test_who_is_removed_does_not_come_back_by_an_invitation_from_before(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    jo = await site.passwordless.people.create("jo@acme.example")
    made = await floor.invitations.create(acme.id, jo.email)
    await floor.members.put(acme.id, jo.id, origin="domain")
    await floor.members.remove(acme.id, jo.id)
    assert await floor.invitations.find(made.id) is None
    again = await floor.invitations.create(acme.id, jo.email)
    assert await floor.invitations.find(again.id) == again


async def test_who_is_removed_while_disabled_does_not_come_back_either(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    people = site.passwordless.people
    jo = await people.create("jo@acme.example")
    made = await floor.invitations.create(acme.id, jo.email)
    await floor.members.put(acme.id, jo.id, origin="domain")
    await people.disable(jo.id)
    await floor.members.remove(acme.id, jo.id)
    await people.enable(jo.id)
    assert await floor.invitations.find(made.id) is None


async def test_nor_does_who_is_removed_as_the_store_goes_down(tmp_path: Path) -> None:
    """What is written to the store afterwards fails, and nobody may do it again."""
    store = BreakableStore()
    site = make_organization_site(tmp_path, store=store)
    floor = floor_of(site)
    acme = await floor.organizations.create("Acme")
    jo = await site.passwordless.people.create("jo@acme.example")
    made = await floor.invitations.create(acme.id, jo.email)
    await floor.members.put(acme.id, jo.id, origin="domain")
    store.is_down = True
    with pytest.raises(StoreError):
        await floor.members.remove(acme.id, jo.id)
    assert await floor.members.find(acme.id, jo.id) is None
    assert await floor.invitations.find(made.id) is None


async def test_invitations_are_paged_the_newest_first(
    site: Site, floor: OrganizationFloor, acme: Organization
) -> None:
    made = []
    for number in range(3):
        made.append(await floor.invitations.create(acme.id, f"u{number}@acme.example"))
        site.clock.advance(1)
    first = await floor.invitations.list(acme.id, limit=2)
    assert first == [made[2], made[1]]
    assert await floor.invitations.list(acme.id, after=made[1].id) == [made[0]]
    await floor.invitations.revoke(acme.id, made[1].id)
    gone = floor.invitations.list(acme.id, after=made[1].id)
    assert await refusal_of(gone) == ("after", "gone")

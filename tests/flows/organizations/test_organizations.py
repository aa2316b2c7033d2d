"""Organizations made and changed: what is wrong is named, what changes is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.errors import NotFound
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from tests.organizations import (
    add_app,
    add_connection,
    floor_of,
    make_organization_site,
    newest_event,
    refusal_of,
    set_policy,
)
from tests.support import Site

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_organization_site(tmp_path)


@pytest.fixture
def floor(site: Site) -> OrganizationFloor:
    return floor_of(site)


async def test_it_is_made_and_found(site: Site, floor: OrganizationFloor) -> None:
    made = await floor.organizations.create(
        " Acme ", external_id="7", logo="/a.svg", color="#123", language="de", by="operator:jo"
    )
    assert made.id.startswith("org_")
    assert (made.name, made.version, made.created_at) == ("Acme", 1, site.clock.now)
    assert await floor.organizations.find(made.id) == made
    assert await floor.organizations.require("7") == made
    event = newest_event(site, "organization.created")
    assert (event.by, event.organization) == ("operator:jo", made.id)
    with pytest.raises(NotFound):
        await floor.organizations.require("org_none")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": ""}, ("name", "name")),
        ({"name": "x" * 101}, ("name", "name")),
        ({"name": "a\nb"}, ("name", "name")),
        ({"name": "a\u200bb"}, ("name", "name")),
        ({"name": "a\ud800"}, ("name", "name")),
        ({"external_id": "org_7"}, ("external_id", "prefix")),
        ({"external_id": "x" * 101}, ("external_id", "length")),
        ({"external_id": "a\0"}, ("external_id", "length")),
        ({"logo": "//evil.example/x.svg"}, ("logo", "logo")),
        ({"color": "red"}, ("color", "color")),
        ({"language": "tlh"}, ("language", "enum")),
        ({"by": ""}, ("by", "by")),
    ],
    ids=[
        "no name",
        "long name",
        "two lines",
        "nothing to be seen",
        "half a character",
        "like an id",
        "long key",
        "nul",
        "foreign logo",
        "no color",
        "no language",
        "nobody",
    ],
)
async def test_what_is_wrong_is_named(
    floor: OrganizationFloor, given: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert await refusal_of(floor.organizations.create(**{"name": "Acme", **given})) == expected


async def test_a_change_says_what_was_and_is(site: Site, floor: OrganizationFloor) -> None:
    made = await floor.organizations.create("Acme", external_id="7")
    changed = await floor.organizations.change("7", name="Acme AG", external_id="", by="server:b")
    assert (changed.name, changed.external_id, changed.version) == ("Acme AG", None, 2)
    assert newest_event(site, "organization.changed").details == {
        "from": '{"name": "Acme", "external_id": "7"}',
        "to": '{"name": "Acme AG", "external_id": null}',
    }
    same = await floor.organizations.change(made.id, name="Acme AG")
    assert same.version == 2, "nothing has changed"
    stale = floor.organizations.change(made.id, name="Mine", seen=1)
    assert await refusal_of(stale) == ("version", "version")
    await floor.organizations.create("Beta", external_id="8")
    taken = floor.organizations.change(made.id, external_id="8")
    assert await refusal_of(taken) == ("external_id", "taken")


async def test_they_are_paged_by_name(floor: OrganizationFloor) -> None:
    made = [await floor.organizations.create(name) for name in ("c", "A", "b")]
    first = await floor.organizations.list(limit=2)
    assert [one.name for one in first] == ["A", "b"]
    rest = await floor.organizations.list(limit=2, after=first[-1].id)
    assert [one.name for one in rest] == ["c"]
    assert [one.name for one in await floor.organizations.list(search="B")] == ["b"]
    await floor.organizations.delete(made[2].id)
    gone = floor.organizations.list(after=made[2].id)
    assert await refusal_of(gone) == ("after", "gone")
    assert await refusal_of(floor.organizations.list(limit=0)) == ("limit", "range")


# --- policy --------------------------------------------------------------------------------------


async def test_a_policy_is_changed_as_it_was_seen_and_no_address_is_told(
    site: Site, floor: OrganizationFloor
) -> None:
    acme = await floor.organizations.create("Acme")
    policy = Policy(mfa="optional", break_glass=frozenset({"jo@acme.example"}))  # type: ignore[arg-type]
    changed = await floor.organizations.set_policy(acme.id, policy, seen=1, by="operator:jo")
    assert (changed.policy, changed.version) == (policy, 2)
    assert newest_event(site, "organization.policy_changed").details == {
        "from": "{}",
        "to": '{"mfa": "optional", "break_glass": 1}',
        "added": 1,
        "removed": 0,
    }
    stale = floor.organizations.set_policy(acme.id, Policy(), seen=1)
    assert await refusal_of(stale) == ("version", "version")
    wrong = floor.organizations.set_policy(acme.id, Policy(idle=900, absolute=600), seen=2)
    assert await refusal_of(wrong) == ("idle", "range")


async def test_the_companys_login_cannot_be_required_before_somebody_could_do_without(
    site: Site, floor: OrganizationFloor
) -> None:
    """Security rule 54: a connection has worked, and a break-glass address is an active member's
    with a second factor that counts."""
    acme = await floor.organizations.create("Acme")
    jo = await site.passwordless.people.create("jo@acme.example")
    named = {"sso": "required", "break_glass": frozenset({"al@acme.example", jo.email})}
    assert await refusal_of(set_policy(floor, acme.id, sso="required")) == (
        "break_glass",
        "required",
    )
    assert await refusal_of(set_policy(floor, acme.id, **named)) == ("break_glass", "second_factor")
    await add_app(site, jo.id)
    assert await refusal_of(set_policy(floor, acme.id, **named)) == ("break_glass", "member")
    await floor.members.put(acme.id, jo.id)
    await floor.members.deactivate(acme.id, jo.id)
    assert await refusal_of(set_policy(floor, acme.id, **named)) == ("break_glass", "member")
    await floor.members.activate(acme.id, jo.id)
    by_passkey = {**named, "second_factors": frozenset({"passkey"})}
    refused = await refusal_of(set_policy(floor, acme.id, **by_passkey))
    assert refused == ("break_glass", "second_factor")
    assert await refusal_of(set_policy(floor, acme.id, **named)) == ("sso", "no_connection")
    connection = await add_connection(floor, acme.id)
    required = await set_policy(floor, acme.id, **named)
    # Neither the last connection nor the last address goes while it is required.
    assert (await refusal_of(floor.connections.disable(connection.id)))[1] == "required"
    assert (await refusal_of(floor.connections.delete(connection.id)))[1] == "required"
    nobody = set_policy(floor, acme.id, sso="required", break_glass=frozenset())
    assert await refusal_of(nobody) == ("break_glass", "required")
    # What else is changed asks nothing of that.
    also = await set_policy(floor, acme.id, **named, mfa="optional")
    assert also.version == required.version + 1
    # What makes the only second factor worth nothing is refused as well.
    assert (await refusal_of(set_policy(floor, acme.id, **by_passkey)))[1] == "second_factor"


async def test_who_is_held_to_a_policy_now_is_told(site: Site, floor: OrganizationFloor) -> None:
    acme = await floor.organizations.create("Acme")
    site.clock.advance(60)
    applied = await floor.organizations.apply_now(acme.id, by="operator:jo")
    assert applied.enforced_at == site.clock.now
    assert newest_event(site, "organization.policy_applied").organization == acme.id


async def test_what_is_deleted_is_gone(site: Site, floor: OrganizationFloor) -> None:
    acme = await floor.organizations.create("Acme", external_id="7")
    await floor.organizations.delete("7", by="operator:jo")
    assert newest_event(site, "organization.deleted").details == {"name": "Acme"}
    assert await floor.organizations.find(acme.id) is None
    with pytest.raises(NotFound):
        await floor.organizations.delete("7")

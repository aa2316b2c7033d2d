"""Organizations that nobody could help any more are told of before they need it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.core.operators.finding import Finding
from tests.features.organizations.scene import make_organization, make_scene
from tests.organizations import add_app, add_connection, floor_of, set_policy
from tests.support import Site

pytestmark = pytest.mark.anyio


async def test_who_could_help_and_cannot_any_more_is_told(tmp_path: Path) -> None:
    site = make_scene(tmp_path)
    floor, people = floor_of(site), site.passwordless.people
    acme = await make_organization(site, "Acme")
    jo = await people.create("jo@acme.example")
    await add_app(site, jo.id)
    await floor.members.put(acme.id, jo.id)
    await add_connection(floor, acme.id)
    await set_policy(floor, acme.id, sso="required", break_glass=frozenset({jo.email}))
    assert await find(site) == []
    await floor.members.deactivate(acme.id, jo.id)
    (found,) = await find(site)
    assert found.level == "warn"
    told = "no break-glass address of Acme is an active member's with a second factor"
    assert told in found.message
    await floor.members.activate(acme.id, jo.id)
    assert await find(site) == []
    await people.delete(jo.id)
    assert await find(site) == [found]


async def find(site: Site) -> list[Finding]:
    """Return what is told of break-glass addresses."""
    found = await site.passwordless._kit.findings.of_features()
    return [one for one in found if one.check == "break_glass"]

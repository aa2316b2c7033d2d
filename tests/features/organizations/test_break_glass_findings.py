"""Organizations that nobody could help any more are told of before they need it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.features.organizations.scene import make_organization, make_scene
from tests.organizations import add_app, add_connection, floor_of, set_policy

pytestmark = pytest.mark.anyio


async def test_who_could_help_and_cannot_any_more_is_told(tmp_path: Path) -> None:
    site = make_scene(tmp_path)
    floor, people = floor_of(site), site.passwordless.people
    acme = await make_organization(site, "Acme")
    jo = await people.create("jo@acme.example")
    await add_app(site, jo.id)
    await add_connection(floor, acme.id)
    await set_policy(floor, acme.id, sso="required", break_glass=frozenset({jo.email}))
    findings = site.passwordless._kit.findings
    assert not [one for one in await findings.of_features() if one.check == "break_glass"]
    await people.delete(jo.id)
    (found,) = [one for one in await findings.of_features() if one.check == "break_glass"]
    assert found.level == "warn"
    assert "no break-glass address of Acme has a second factor" in found.message

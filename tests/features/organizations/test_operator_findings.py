"""Admins of the dashboard whom an organization could lock out are told of."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Dashboard
from pwless_middleware.core.operators.finding import Finding
from tests.features.organizations.scene import JO, make_organization, make_scene
from tests.organizations import add_app, add_connection, floor_of, set_policy
from tests.support import Site

pytestmark = pytest.mark.anyio


async def test_admins_who_sign_in_as_an_organization_says_are_told_of(tmp_path: Path) -> None:
    site = make_scene(tmp_path, Dashboard(operators=[JO, "ops@example.com"]))
    acme = await make_organization(site, "Acme", JO, domain="acme.example")
    jo = await site.passwordless.people.find(JO)
    assert jo is not None
    await add_app(site, jo.id)
    await add_connection(floor_of(site), acme.id)
    assert await find(site) == []
    await set_policy(floor_of(site), acme.id, sso="required", break_glass=frozenset({JO}))
    (found,) = await find(site)
    assert found.level == "warn"
    assert "Admins of the dashboard have addresses of Acme" in found.message
    assert JO not in found.message


async def find(site: Site) -> list[Finding]:
    """Return what is told of admins."""
    found = await site.passwordless._kit.findings.of_features()
    return [one for one in found if one.check == "admins"]

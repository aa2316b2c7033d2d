"""Domains whose DNS records are gone: looked for every day, and told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.errors import ConfigError
from pwless_middleware.features.organizations import Organizations
from pwless_middleware.flows.organizations.domain_verification import DAY
from tests.dns_zone import Zone
from tests.features.organizations.scene import make_organization, make_scene
from tests.organizations import floor_of
from tests.support import Site

pytestmark = pytest.mark.anyio


async def findings_of(site: Site) -> list[Finding]:
    """Return what `pwless check` and the dashboard say of domains."""
    found = await site.passwordless._kit.findings.of_features()
    return [one for one in found if one.check == "domains"]


async def test_a_record_that_is_gone_is_found_within_a_day_and_told(tmp_path: Path) -> None:
    site = make_scene(tmp_path)
    zone = Zone(floor_of(site))
    await make_organization(site, "Acme", domain="acme.example")
    assert await findings_of(site) == []
    site.clock.advance(DAY)
    periodics = site.passwordless.lifetime._periodics
    assert periodics is not None
    (turn,) = [one for one in periodics._all if one.title == "Organizations.check_domains"]
    await turn._periodic.run()
    assert zone.asked > 0
    (finding,) = await findings_of(site)
    assert finding.level == "warn"
    assert "acme.example is not found any more" in finding.message


async def test_three_domains_are_named(tmp_path: Path) -> None:
    site = make_scene(tmp_path)
    floor = floor_of(site)
    for name in "abcd":
        made = await make_organization(site, name, domain=f"{name}.example")
        await floor.domains.note_check(made.id, f"{name}.example", is_there=False)
    (finding,) = await findings_of(site)
    assert "a.example, b.example, c.example, … is not" in finding.message


def test_what_is_not_installed_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "dns", None)
    with pytest.raises(ConfigError, match=r"pip install 'pwless-middleware\[organizations\]'"):
        Organizations()

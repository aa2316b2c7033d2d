"""What is said after a login, before a second factor is required of everybody."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.features.second_factors.pages.browsing import (
    ACCOUNT,
    JO,
    STEP,
    come_to_step,
    connect,
    make_page_site,
    type_code,
)
from tests.support import Site, led_to, said

pytestmark = pytest.mark.anyio

DEADLINE = f"{ACCOUNT}/deadline"


def site_with_grace(folder: Path) -> Site:
    """Make a site that asks everybody from a day in two weeks on."""
    today = datetime.fromtimestamp(make_page_site(folder / "x").clock.now, UTC).date()
    day: date = today + timedelta(days=14)
    return make_page_site(folder, mfa="required", required_from=day)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one in it."""
    (tmp_path / "x").mkdir()
    return tmp_path


async def test_until_the_day_people_are_reminded_and_go_on(folder: Path) -> None:
    site = site_with_grace(folder)
    jo = site.browser()
    await jo.ask(JO, next="/there")
    asked = led_to(await jo.type_code(site.mail(JO).code))
    assert asked == f"{DEADLINE}?next=%2Fthere"
    assert await jo.who() == JO
    page = await jo.get(asked)
    assert 'href="/there"' in page.text
    assert f'href="{ACCOUNT}"' in page.text
    evil = await jo.get(f"{DEADLINE}?next=//evil.example/")
    assert "evil.example" not in evil.text
    await connect(jo)
    assert led_to(await jo.get(asked)) == "/there", "it is done"
    assert "asks everybody" in said(await jo.get(ACCOUNT))

    site.clock.advance(15 * 86400)
    kim = site.browser()
    assert led_to(await kim.sign_in("kim@example.com")) == f"{STEP}/new"


async def test_who_has_one_is_not_reminded(folder: Path) -> None:
    site = site_with_grace(folder)
    jo = site.browser()
    await jo.sign_in(JO)
    app = await connect(jo)
    site.clock.advance(61)
    other = site.browser()
    page = await come_to_step(other)
    assert led_to(await type_code(other, page, app.next_code())) == "/"

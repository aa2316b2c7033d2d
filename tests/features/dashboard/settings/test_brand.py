"""The preview of a brand: as it would look, and nothing of it holds yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Brand
from tests.features.dashboard.operators import LOOK, make_dashboard, make_dashboard_site
from tests.features.dashboard.settings.forms import SETTINGS, change, fill
from tests.own_account import signed_in
from tests.support import holds

pytestmark = pytest.mark.anyio

COLORS = f"{SETTINGS}/preview.css"


async def test_what_was_typed_is_shown_and_does_not_hold(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    typed = {"brand.name": "Acme", "brand.color": "#b00020", "brand.logo": "/static/acme.svg"}
    page = await fill(ops, "brand", {**typed, "preview": "yes"})
    assert page.status_code == 200
    assert "preview.css?color=%23b00020" in page.text
    assert page.text.count('<img src="/static/acme.svg" alt="" data-look-logo>') == 2
    assert ">Acme</span>" in page.text
    assert 'value="#b00020"' in page.text
    assert await site.passwordless.settings.history() == []
    assert not holds((await site.browser().get("/auth/login")).text, "Acme")


async def test_what_cannot_be_a_brand_is_not_shown_and_hides_nothing_else(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    typed = {"brand.name": "Acme", "brand.color": "red;}", "brand.logo": "https://x.example/y"}
    page = await fill(ops, "brand", {**typed, "preview": "yes"})
    assert page.status_code == 200
    assert ">Acme</span>" in page.text
    assert 'preview.css?color="' in page.text
    assert '<img src="https://x.example' not in page.text


async def test_the_colors_are_those_of_both_schemes(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    answer = await ops.get(f"{COLORS}?color=%23b00020")
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    light, dark = answer.text.split("\n", 1)
    assert light.startswith(".look.light{--page:#f6f7f9;--card:#ffffff;--accent:#b00020")
    assert dark.startswith(".look.dark{--page:#0c0d10;")
    assert ":root" not in answer.text
    assert "--accent:#3d4ed8" in (await ops.get(COLORS)).text


@pytest.mark.parametrize("color", ["red", "%23b0", "%7Bx", "%23b0002g", "%23b00020%7D"])
async def test_what_is_no_color_is_refused(color: str, tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    answer = await ops.get(f"{COLORS}?color={color}")
    assert answer.status_code == 400
    assert "text/css" not in answer.headers["content-type"]


async def test_the_colors_are_for_admins(tmp_path: Path) -> None:
    look = await signed_in(make_dashboard_site(tmp_path), LOOK)
    assert (await look.get(COLORS)).status_code == 404


async def test_a_brand_that_was_set_is_that_of_every_page(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await change(ops, "brand", {"brand.name": "Acme"})
    assert "Acme</title>" in (await site.browser().get("/auth/login")).text


async def test_what_code_fixes_of_a_brand_is_shown_as_it_is(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path, brand=Brand("Fernway", color="#1f7a5a"))
    typed = {"brand.name": "Acme", "brand.logo": "/a.svg", "preview": "yes"}
    page = await fill(ops, "brand", typed)
    assert page.text.count('<img src="/a.svg"') == 2
    assert "preview.css?color=%231f7a5a" in page.text
    assert not holds(page.text, "Acme")

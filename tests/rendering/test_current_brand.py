"""What is written for an organization has its brand, and nothing else has."""

from __future__ import annotations

import asyncio
import re

import pytest

from pwless_middleware.core.brand import Brand
from pwless_middleware.rendering.assets import color_sheet, find_color_sheet
from pwless_middleware.rendering.current_brand import set_current_brand, use_current_brand
from tests.rendering.test_renderer import ERROR, Context, render, renderer
from tests.support import make_site

UMBRELLA = Brand("Umbrella", logo="/umbrella.svg", color="#b00020")
SIGN_IN: Context = {
    "kind": "OTP",
    "code": "481902",
    "otp": "481902",
    "link": None,
    "subject_code": None,
    "email": "ada@example.com",
    "host": "app.example.com",
    "device": "Firefox on Linux",
    "asked_at": "today",
    "expiry_time_relative": "5 minutes",
    "expire_time": "0",
    "expiry_time": "today",
}


def test_a_page_has_the_name_the_logo_and_the_color_of_the_organization() -> None:
    made = renderer()
    plain = render(made, "error.html", ERROR)
    with use_current_brand(UMBRELLA):
        page = render(made, "error.html", ERROR)
    assert "· Umbrella</title>" in page
    assert 'src="/umbrella.svg"' in page
    (sheet,) = re.findall(r"/auth/static/(brand[^\"]+)", page)
    assert sheet.startswith("brand-b00020.")
    assert render(made, "error.html", ERROR) == plain
    assert "Umbrella" not in plain


def test_a_mail_has_its_name_in_subject_and_body() -> None:
    made = renderer()
    with use_current_brand(UMBRELLA):
        mail = made.email("signin", **SIGN_IN)
    assert "Umbrella" in mail.subject
    assert "Umbrella" in mail.text
    assert "Umbrella" in mail.html
    assert "Umbrella" not in made.email("signin", **SIGN_IN).text


def test_a_name_that_looks_like_a_link_is_none_in_a_mail() -> None:
    with use_current_brand(Brand("evil.example")):
        mail = renderer().email("signin", **SIGN_IN)
    assert "evil.example" not in mail.text
    assert "evil.example" not in mail.html


@pytest.mark.anyio
async def test_what_is_written_at_the_same_time_keeps_its_own_brand() -> None:
    made = renderer()

    async def write(brand: Brand | None) -> str:
        set_current_brand(brand)
        await asyncio.sleep(0)
        return made.page("error.html", **ERROR)

    umbrella, plain, beta = await asyncio.gather(
        *(asyncio.create_task(write(brand)) for brand in (UMBRELLA, None, Brand("Beta")))
    )
    assert "Umbrella" in umbrella
    assert "Umbrella" not in plain
    assert "Beta" in beta
    assert "Umbrella" not in beta


def test_any_process_makes_the_style_sheet_of_a_color_by_its_name() -> None:
    sheet = color_sheet("#B02")
    assert sheet.hashed_name.startswith("brand-bb0022.")
    assert b"--accent:#bb0022" in sheet.content
    assert find_color_sheet(sheet.hashed_name) == sheet
    for name in ("brand-bb0022.css", "brand-bb002.00000000.css", "brand-.00000000.css", "x"):
        assert find_color_sheet(name) is None


@pytest.mark.anyio
async def test_the_style_sheet_of_a_color_is_served() -> None:
    jo = make_site().browser()
    name = color_sheet("#b00020").hashed_name
    right = await jo.get(f"/auth/static/{name}")
    assert right.status_code == 200
    assert "immutable" in right.headers["cache-control"]
    other = await jo.get("/auth/static/brand-b00020.00000000.css")
    assert other.text == right.text
    assert other.headers["cache-control"] == "public, max-age=60"

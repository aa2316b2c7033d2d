"""A login in other languages on a phone: German, and a pseudo-language from right to left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette

from pwless_middleware import Outbox, PasswordlessMiddleware
from pwless_middleware.languages.languages import COMPLETE
from tests.browser.conftest import SECRET_KEY, Demo, Visit, clean
from tests.languages.pseudo import RIGHT_TO_LEFT, write_pseudo_catalogues
from tests.live import clock_of_today, served

JO = "jo@example.com"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """Serve a bare app that knows the pseudo-language too, in place of the demo."""
    outbox, clock = Outbox(), clock_of_today()

    def make(url: str) -> object:
        return PasswordlessMiddleware(
            Starlette(),
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            clock=clock,
            templates=write_pseudo_catalogues(tmp_path),
            languages=[*COMPLETE, RIGHT_TO_LEFT],
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


@pytest.mark.parametrize(
    ("wanted", "language", "direction"),
    [("de-AT", "de", "ltr"), (RIGHT_TO_LEFT, RIGHT_TO_LEFT, "rtl")],
)
def test_pages_in_the_browsers_language_fit_a_phone_and_are_accessible(
    demo: Demo, visit: Visit, wanted: str, language: str, direction: str
) -> None:
    page = visit(locale=wanted, viewport={"width": 320, "height": 640}).open(
        "/auth/login?next=/auth/sessions"
    )
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", direction)
    clean(page)
    page.locator("#email").fill(JO)
    page.locator("#email").press("Enter")
    page.wait_for_url("**/auth/verify")
    clean(page)
    with page.expect_navigation():
        page.locator("#code").fill(demo.code(JO))
    page.wait_for_url("**/auth/sessions")
    expect(page.locator("html")).to_have_attribute("dir", direction)
    # The device's icon stands before its name, on the side where the language begins.
    icon, name = (page.locator(part).bounding_box() for part in (".device", ".rows h2"))
    assert icon is not None
    assert name is not None
    assert (icon["x"] < name["x"]) is (direction == "ltr")
    clean(page)


def test_no_language_is_wider_than_a_phone_and_the_menu_leads_on(demo: Demo, visit: Visit) -> None:
    """Codes are typed from left to right in all of them, and addresses keep their direction."""
    page = visit(locale="en", viewport={"width": 320, "height": 640}).open("/auth/login")
    page.locator("#email").fill("typed@example.com")
    for code in [*COMPLETE, RIGHT_TO_LEFT]:
        page.locator(".languages summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 320, code
        with page.expect_navigation():
            page.locator(f".languages [value='{code}']").click()
        expect(page.locator("html")).to_have_attribute("lang", code)
        expect(page.locator("#email")).to_have_value("typed@example.com")
    page.locator("#email").fill(JO)
    page.locator("#email").press("Enter")
    page.wait_for_url("**/auth/verify")
    for code in [*COMPLETE, RIGHT_TO_LEFT]:
        page.context.add_cookies([{"name": "pwless-language", "value": code, "url": demo.url}])
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", code)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, code
        assert page.locator("#code").evaluate("field => getComputedStyle(field).direction") == "ltr"
        assert page.locator("bdi", has_text=JO).count() >= 1, code

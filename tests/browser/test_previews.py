"""The previews of templates and brand in Chromium: they follow what is typed and can do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pwless_middleware import Dashboard, EmailLogin, Outbox, PasswordlessMiddleware
from tests.browser.conftest import SECRET_KEY, Demo, Visit, Visitor, violations
from tests.live import clock_of_today, served

OPS = "ops@acme.example"
EDIT = "/auth/dashboard/templates/signin/en/edit"
BRAND = "/auth/dashboard/settings/brand"
PIXEL = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
    b"\x1f\x15\xc4\x89\x00\x00\x00\nIDATx\x9cc\x00\x01\x00\x00\x05\x00\x01\r\n-\xb4\x00\x00\x00"
    b"\x00IEND\xaeB`\x82"
)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """Serve an app with a dashboard."""
    routes = [Route(path, lambda request: PlainTextResponse("x")) for path in ("/", "/favicon.ico")]
    outbox, clock = Outbox(), clock_of_today()

    def make(url: str) -> PasswordlessMiddleware:
        return PasswordlessMiddleware(
            Starlette(routes=routes),
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            database=f"sqlite:///{tmp_path}/pwless.db",
            clock=clock,
            features=[EmailLogin(), Dashboard(operators=[OPS])],
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


def open_form(demo: Demo, visitor: Visitor, path: str = EDIT) -> Page:
    page = visitor.open("/auth/login")
    page.get_by_label("Email address").fill(OPS)
    page.get_by_label("Email address").press("Enter")
    page.wait_for_url("**/auth/verify")
    visitor.enter(page, demo.code(OPS))
    page.goto(path)
    return page


def test_the_preview_of_a_template_follows_what_is_typed(demo: Demo, visit: Visit) -> None:
    page = open_form(demo, visit())
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading")).to_contain_text("Sign in to")
    assert violations(page) == []
    page.get_by_label("HTML").fill('<h1>Hello</h1><p class="text">{{ code }}</p><p>{{ link }}</p>')
    expect(frame.get_by_role("heading")).to_have_text("Hello")
    expect(frame.locator("body")).to_contain_text("271828")
    page.get_by_label("Dark").check()
    expect(frame.locator(".text")).to_have_css("color", "rgb(236, 238, 242)")
    page.get_by_label("Phone").check()
    expect(frame.locator(".text")).to_have_css("color", "rgb(0, 0, 0)")
    assert page.locator("iframe").evaluate("frame => frame.clientWidth") == 390
    page.get_by_label("Plain text").last.check()
    expect(frame.locator("pre")).to_contain_text("Your code:")
    page.get_by_label("HTML").fill("<p>\n<script>alert(1)</script></p>")
    expect(frame.locator("body")).to_contain_text("HTML, line 2: There is no <script>")
    page.get_by_label("HTML").fill("<p>{{ code }} {{ link }}</p>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is saved")).to_be_visible()
    assert violations(page) == []


def test_a_template_is_edited_without_a_script(demo: Demo, visit: Visit) -> None:
    page = open_form(demo, visit(has_scripts=False))
    page.get_by_label("HTML").fill("<h1>Hello</h1><p>{{ code }} {{ link }}</p>")
    page.get_by_role("button", name="Show").click()
    expect(page.frame_locator("iframe").get_by_role("heading")).to_have_text("Hello")
    assert page.get_by_label("HTML").input_value().startswith("<h1>Hello")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is saved")).to_be_visible()


def accents(page: Page) -> list[str]:
    """Return the color of the button in each of the two looks."""
    found: list[str] = page.eval_on_selector_all(
        ".look-button", "all => all.map(one => getComputedStyle(one).backgroundColor)"
    )
    return found


def test_the_preview_of_the_brand_follows_what_is_typed(demo: Demo, visit: Visit) -> None:
    page = open_form(demo, visit(), BRAND)
    assert accents(page) == 2 * ["rgb(61, 78, 216)"]
    page.get_by_label("Name").fill("Acme")
    page.get_by_label("Color", exact=True).fill("#b00020")
    expect(page.locator("[data-look-name]").first).to_have_text("Acme")
    expect(page.locator("[data-look-mark]").last).to_have_text("A")
    expect(page.locator(".look-button").first).to_have_css("background-color", "rgb(176, 0, 32)")
    assert accents(page) == 2 * ["rgb(176, 0, 32)"]
    page.set_input_files(
        "[data-reads]", {"name": "a.png", "mimeType": "image/png", "buffer": PIXEL}
    )
    expect(page.locator("img[data-look-logo]").first).to_be_visible()
    assert page.get_by_label("Logo").input_value().startswith("data:image/png;base64,")
    assert violations(page) == []
    page.get_by_role("button", name="Look at the change").last.click()
    expect(page.get_by_role("heading", name="Make this change?")).to_be_visible()
    page.get_by_role("button", name="Make the change").click()
    expect(page.get_by_text("The change holds now.")).to_be_visible()
    expect(page.locator(".home .name")).to_have_text("Acme")

"""The pages of deployments unlike the demo: other kinds of mail, other brands, no enforcement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pwless_middleware import Brand, EmailLogin, Outbox, PasswordlessMiddleware
from tests.browser.conftest import SECRET_KEY, Demo, Visit, clean
from tests.live import clock_of_today, served

JO = "jo@example.com"
LOGO = (
    "data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20width='90'%20height='30'%3E"
    "%3Crect%20width='90'%20height='30'/%3E%3C/svg%3E"
)


async def _hello(request: Request) -> Response:
    return PlainTextResponse(f"Hello, {request.state.user.email}")


@pytest.fixture
def demo(request: pytest.FixtureRequest) -> Iterator[Demo]:
    """Serve a bare app with the options of the test's parameter, in place of the demo."""
    outbox, clock = Outbox(), clock_of_today()
    options: dict[str, Any] = dict(getattr(request, "param", {}))
    login = EmailLogin(**options.pop("login", {}))
    app = Starlette(routes=[Route(path, _hello) for path in ("/", "/dashboard", "/favicon.ico")])

    def make(url: str) -> object:
        return PasswordlessMiddleware(
            app,
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            features=[login],
            clock=clock,
            **options,
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


@pytest.mark.parametrize("demo", [{"login": {"code": "high"}}], indirect=True)
def test_a_code_of_letters_is_typed_in_lower_case(demo: Demo, visit: Visit) -> None:
    visitor = visit()
    page = visitor.ask(JO)
    clean(page)
    expect(page.get_by_label("Code", exact=True)).to_have_attribute("inputmode", "text")
    visitor.enter(page, demo.code(JO).lower().replace("-", " "))
    expect(page.get_by_text(f"Hello, {JO}")).to_be_visible()


@pytest.mark.parametrize("demo", [{"login": {"kind": "OTP"}}], indirect=True)
def test_codes_alone(demo: Demo, visit: Visit) -> None:
    visitor = visit()
    page = visitor.ask(JO)
    expect(page.get_by_text("link").filter(visible=True)).to_have_count(0)
    clean(page)
    visitor.enter(page, demo.code(JO))
    expect(page.get_by_text(f"Hello, {JO}")).to_be_visible()


@pytest.mark.parametrize("demo", [{"login": {"kind": "LINK"}}], indirect=True)
def test_links_alone(demo: Demo, visit: Visit) -> None:
    """There is no field; the waiting tab goes on, and a stranger's browser is told what to do."""
    visitor, stranger = visit(), visit()
    page = visitor.ask(JO)
    expect(page.get_by_role("textbox")).to_have_count(0)
    expect(page.get_by_text("this page goes on by itself")).to_be_visible()
    clean(page)
    elsewhere = stranger.open(demo.link(JO))
    expect(elsewhere.get_by_role("heading")).to_contain_text("Open this link where you asked")
    clean(elsewhere)
    visitor.open(demo.link(JO))
    page.wait_for_url("**/dashboard")


@pytest.mark.parametrize("demo", [{"login": {"kind": "LINK"}}], indirect=True)
def test_links_alone_without_scripts(demo: Demo, visit: Visit) -> None:
    visitor = visit(has_scripts=False)
    page = visitor.ask(JO)
    expect(page.get_by_text("this page goes on by itself")).to_be_hidden()
    page.goto(demo.link(JO))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")


@pytest.mark.parametrize("demo", [{"login": {"same_browser": False}}], indirect=True)
def test_without_enforcement_another_browser_gets_a_button(demo: Demo, visit: Visit) -> None:
    visit().ask(JO)
    page = visit().open(demo.link(JO))
    clean(page)
    assert page.url.startswith(
        f"{demo.url}/auth/link"
    )  # scanners run scripts: it waits for a press
    page.get_by_role("button", name=f"Sign in as {JO}").click()
    page.wait_for_url(f"{demo.url}/dashboard")


def svg(attributes: str) -> str:
    """Return a drawing as a URL, with these attributes on its root."""
    return f"data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'{attributes}/%3E"


@pytest.mark.parametrize(
    ("demo", "width"),
    [
        ({"brand": Brand("Acme", logo=svg("%20viewBox='0%200%20120%2040'"))}, 108),
        ({"brand": Brand("Acme", logo=svg(""))}, 176),
        ({"brand": Brand("Acme", logo=svg("%20width='16'%20height='16'"))}, 36),
        ({"brand": Brand("Acme", logo=svg("%20viewBox='0%200%20900%2040'"))}, 176),
    ],
    ids=["viewBox", "no size", "small", "wide"],
    indirect=["demo"],
)
def test_a_logo_is_seen_whatever_its_file_says_of_its_size(
    demo: Demo, visit: Visit, width: int
) -> None:
    logo = visit().open("/auth/login").get_by_role("img", name="Acme").bounding_box()
    assert logo is not None
    assert logo["height"] == 36
    assert abs(logo["width"] - width) <= 1


@pytest.mark.parametrize(
    "demo",
    [
        {"brand": Brand("Lemon & <Sons> with a name that goes on and on", color="#ffee00")},
        {"brand": Brand("Night", color="#000", logo=LOGO)},
        {"brand": Brand("Snow", color="#fff")},
        {"brand": Brand("Grey", color="#777")},
    ],
    ids=["yellow", "black", "white", "grey"],
    indirect=True,
)
def test_any_brand_stays_readable(demo: Demo, visit: Visit) -> None:
    visitor = visit(viewport={"width": 360, "height": 700})
    clean(visitor.open("/auth/login"))
    page = visitor.ask(JO)
    clean(page)
    visitor.enter(page, demo.code(JO))
    clean(visitor.open("/auth/sessions"))

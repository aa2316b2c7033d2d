"""The dashboard in Chromium: every page of its navigation looked at, and what its script adds."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from demo_app.app import OPERATOR, create_app
from demo_app.sample_data import Clock as SampleClock
from demo_app.sample_data import SampleMailer, make_sample_data
from pwless_middleware import Outbox, PasswordlessMiddleware
from tests.browser.conftest import (
    SECRET_KEY,
    Demo,
    Visit,
    Visitor,
    in_a_thread,
    too_wide,
    violations,
)
from tests.live import clock_of_today, served

PHONE: ViewportSize = {"width": 320, "height": 640}
DESKTOP: ViewportSize = {"width": 1280, "height": 720}
DASHBOARD = "/auth/dashboard"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make some days of logins, once."""
    file = tmp_path_factory.mktemp("sample") / "sample.db"

    def make_app(clock: SampleClock, mailer: SampleMailer) -> PasswordlessMiddleware:
        database = f"sqlite:///{file}"
        return create_app(secret_key=SECRET_KEY, mailer=mailer, database=database, clock=clock)

    url = "http://localhost:8000"
    in_a_thread(lambda: make_sample_data(make_app, base_url=url, attempts=60))
    return file


@pytest.fixture
def demo(sample: Path, tmp_path: Path) -> Iterator[Demo]:
    """Serve the demo with a copy of these days."""
    outbox, clock = Outbox(), clock_of_today()
    with sqlite3.connect(sample) as opened, sqlite3.connect(tmp_path / "demo.db") as copy:
        opened.backup(copy)

    def make(url: str) -> PasswordlessMiddleware:
        database = f"sqlite:///{tmp_path}/demo.db"
        return create_app(
            secret_key=SECRET_KEY, base_url=url, mailer=outbox, database=database, clock=clock
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


def sign_in(demo: Demo, visitor: Visitor) -> Page:
    """Return the dashboard of the demo's operator."""
    page = visitor.open("/auth/login")
    page.get_by_label("Email address").fill(OPERATOR)
    page.get_by_label("Email address").press("Enter")
    page.wait_for_url("**/auth/verify")
    visitor.enter(page, demo.code(OPERATOR))
    page.goto(DASHBOARD)
    expect(page.locator("body.dashboard")).to_be_visible()
    return page


def paths(page: Page) -> list[str]:
    """Return the pages that the navigation leads to, and one page below each."""
    found: list[str] = page.eval_on_selector_all(
        ".side nav a", "links => links.map(link => link.getAttribute('href'))"
    )
    return found


def below(page: Page, path: str) -> list[str]:
    """Return some pages that this one leads to and that are below it: one of a kind."""
    links: list[str] = page.eval_on_selector_all(
        "main a[href]", "links => links.map(link => new URL(link.href).pathname)"
    )
    kinds: dict[str, str] = {}
    for link in links:
        if link.startswith(f"{path}/") and "export" not in link:
            kind = re.sub(r"[\w-]{8,}|\w+/en$", "x", link.removeprefix(path))
            kinds.setdefault(kind, link)
    return list(kinds.values())[:3]


def all_pages(page: Page) -> Iterator[str]:
    """Open each page of the dashboard, one after the other."""
    for path in paths(page):
        page.goto(path)
        yield path
        for deeper in below(page, path):
            page.goto(deeper)
            yield deeper


def test_axe_finds_nothing_on_any_page_and_none_scrolls_sideways(demo: Demo, visit: Visit) -> None:
    """One walk for both, since it is the dear part; axe looks in both schemes."""
    page = sign_in(demo, visit())
    found = []
    for path in all_pages(page):
        found += [f"{path}: {one}" for one in violations(page)]
        page.set_viewport_size(PHONE)
        found += [f"{path}: {one}" for one in too_wide(page, PHONE["width"])]
        page.set_viewport_size(DESKTOP)
    assert found == []


def test_the_keyboard_leads_to_pages_and_to_the_search(demo: Demo, visit: Visit) -> None:
    page = sign_in(demo, visit())
    with page.expect_navigation(url="**/dashboard/people"):
        page.keyboard.type("gp")
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_focused()
    page.keyboard.type("gp")  # in a field they are letters
    expect(page.locator("[data-search]")).to_have_value("gp")
    assert page.url.endswith("/dashboard/people")


def test_a_window_that_is_made_narrow_does_not_open_on_the_menu(demo: Demo, visit: Visit) -> None:
    """As a tablet is, by turning it: the script has opened the menu beside the page."""
    page = sign_in(demo, visit())
    overview = page.locator(".side").get_by_role("link", name="Overview")
    page.set_viewport_size(DESKTOP)
    expect(overview).to_be_visible()
    page.set_viewport_size(PHONE)
    expect(overview).to_be_hidden()
    page.set_viewport_size(DESKTOP)
    expect(overview).to_be_visible()


def test_all_of_it_works_without_a_script(demo: Demo, visit: Visit) -> None:
    page = sign_in(demo, visit(has_scripts=False))
    page.get_by_role("link", name="People", exact=True).click()
    somebody = page.get_by_role("row").get_by_role("link").first.inner_text()
    page.locator("[data-search]").fill(somebody[:-8])
    page.get_by_role("button", name="Show").click()
    found = page.get_by_role("row").get_by_role("link")
    assert [one for one in found.all_inner_texts() if not one.startswith(somebody[:-8])] == []
    expect(found.first).to_have_text(somebody)


def test_times_are_in_the_readers_zone(demo: Demo, visit: Visit) -> None:
    shown = []
    for zone in ("Asia/Tokyo", "America/New_York"):
        page = sign_in(demo, visit(timezone_id=zone))
        page.goto(f"{DASHBOARD}/log")
        shown.append(page.locator("main time[title]").last.inner_text())
        demo.clock.advance(120)
    assert len(set(shown)) == 2

"""Readable by everybody: axe in both schemes, phone width, keyboard alone, zoomed text."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Visit, too_wide, violations
from tests.browser.walk import WALKS, Walk

PHONE = {"width": 320, "height": 640}
"""The narrowest width that must work without scrolling sideways (WCAG 2.2, 1.4.10)."""


each_walk = pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)


@each_walk
def test_axe_finds_nothing_on_any_page(demo: Demo, visit: Visit, walk: Walk) -> None:
    found = [
        f"{name}: {violation}"
        for name, page in walk(demo, visit())
        for violation in violations(page)
    ]
    assert found == []


def test_the_watchers_see_what_they_watch_for(visit: Visit) -> None:
    """Axe complains about a bad page, and an inline script is a console error here."""
    visitor = visit()
    page = visitor.open("/")
    page.evaluate("document.body.append(document.createElement('img'))")
    assert "image-alt" in " ".join(violations(page))
    with page.expect_console_message():
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))"
        )
    assert "Content Security Policy" in visitor.problems.pop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_follow_the_readers_scheme(
    demo: Demo, visit: Visit, scheme: Literal["light", "dark"]
) -> None:
    for path in ("/", "/auth/login"):
        page = visit(color_scheme=scheme).open(path)
        red = page.evaluate(
            "Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
        )
        assert (red > 200) is (scheme == "light")
        assert (red < 60) is (scheme == "dark")


def test_the_current_entry_of_a_list_is_seen_in_forced_colors(visit: Visit) -> None:
    page = visit(forced_colors="active").open("/auth/login")
    marked = page.evaluate(
        "[...document.querySelectorAll('.languages li button')].map(entry =>"
        " [entry.hasAttribute('aria-current'), getComputedStyle(entry).backgroundColor])"
    )
    [current] = [color for is_current, color in marked if is_current]
    assert current not in {color for is_current, color in marked if not is_current}
    assert len(marked) > 1


@each_walk
def test_nothing_scrolls_sideways_on_a_phone(demo: Demo, visit: Visit, walk: Walk) -> None:
    """Nor with text of twice the size (WCAG 2.2, 1.4.4), nor from right to left."""
    visitor = visit(viewport=PHONE, is_mobile=True, has_touch=True)
    wide = [
        f"{name} {how}"
        for name, page in walk(demo, visitor)
        for how in too_wide(page, PHONE["width"])
    ]
    assert wide == []


def test_fields_do_not_make_a_phone_zoom(demo: Demo, visit: Visit) -> None:
    """iOS zooms into any field whose text is smaller than 16 pixels."""
    for path in ("/auth/login", "/spa", "/own-form"):
        page = visit(viewport=PHONE).open(path)
        field = page.locator("input:visible").first
        assert field.evaluate("e => parseFloat(getComputedStyle(e).fontSize)") >= 16


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this text has the focus; the focus must be seen."""
    for _ in range(25):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.textContent.trim()")
        if focused == name:
            style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none"
            return
    pytest.fail(f"{name!r} cannot be reached by keyboard")


def test_a_whole_login_by_keyboard_alone(demo: Demo, visit: Visit) -> None:
    """From the public page in and out again; no mouse, and each focus is visible."""
    email = "keys@example.com"
    page = visit().open("/")
    _tab_to(page, "Sign in")
    page.keyboard.press("Enter")
    page.wait_for_url("**/auth/login**")
    expect(page.get_by_label("Email address")).to_be_focused()  # without a key
    page.keyboard.type(email)
    page.keyboard.press("Enter")
    page.wait_for_url("**/auth/verify")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.keyboard.type(demo.code(email))
    page.wait_for_url("**/dashboard")
    _tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url("**/auth/logout**")
    _tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{demo.url}/")


def test_the_skip_link_jumps_over_the_navigation(visit: Visit) -> None:
    page = visit().open("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()

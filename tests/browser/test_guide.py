"""The guide in Chromium: found, read, copied; on a phone, in the dark, and without scripts."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from demo_app.guide_site.site import the_guide
from tests.browser.conftest import Demo, Visit, too_wide, violations
from tests.browser.test_look import PHONE

PAGES = ("", "/search?q=passkeys", "/fastapi", "/languages", "/nothing")
"""One of each kind; every page is made of the same pieces, and they are all on these."""
TOO_WIDE = """async ([names, width]) => {
    const wide = [];
    for (const name of names) {
        const answer = await fetch(`/guide/${name}`);
        const there = new DOMParser().parseFromString(await answer.text(), "text/html");
        document.querySelector("main").replaceWith(there.querySelector("main"));
        if (document.documentElement.scrollWidth > width) wide.push(name);
    }
    return wide;
}"""
"""The pages that a phone would have to scroll sideways: their texts, one after the other, in one
page, which takes a tenth of opening each."""


def test_a_reader_finds_a_section_and_copies_its_code(demo: Demo, visit: Visit) -> None:
    visitor = visit(viewport={"width": 1360, "height": 900})
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open("/guide")
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Search the guide")
    expect(field).to_be_focused()
    page.keyboard.type("one verif")
    # The first search of a process waits for its index.
    expect(page.get_by_role("option").first).to_contain_text("2. One verifier", timeout=20_000)
    expect(page.get_by_role("status")).to_have_text(re.compile(r"\d results?"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_have_count(1)
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/guide/security#2-one-verifier")
    expect(page.get_by_role("heading", name="2. One verifier")).to_be_in_viewport()
    parts = page.get_by_role("navigation", name="On this page")
    expect(parts.locator("[aria-current]")).to_have_text("2. One verifier")
    field.fill("redis")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Enter")
    page.wait_for_url("**/guide/search?q=redis")
    page.goto("/guide/start")
    page.get_by_role("button", name="Copy Python").first.click()
    expect(page.get_by_text("Copied")).to_be_visible()
    block = re.search(
        r"```python\n(.*?)```", (the_guide().folder / "start.md").read_text(), re.DOTALL
    )
    assert block is not None
    assert page.evaluate("navigator.clipboard.readText()") == block[1]


def test_a_reader_without_scripts_misses_nothing(demo: Demo, visit: Visit) -> None:
    page = visit(has_scripts=False).open("/guide/fastapi")
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    expect(page.locator("kbd")).to_be_hidden()
    page.get_by_role("searchbox", name="Search the guide").fill("one verif")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="2. One verifier").click()
    page.wait_for_url("**/guide/security#2-one-verifier")
    page.get_by_role("link", name=re.compile("^Next ")).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_phone_shows_the_contents_in_a_menu_and_nothing_too_wide(
    demo: Demo, visit: Visit
) -> None:
    page = visit(viewport=PHONE, is_mobile=True, has_touch=True).open("/guide/options")
    expect(page.get_by_role("navigation", name="Guide")).to_be_hidden()
    page.get_by_text("All pages").click()
    page.get_by_role("navigation", name="Guide").get_by_role(
        "link", name="FastAPI", exact=True
    ).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("FastAPI")
    assert [name for name in PAGES if opened(page, name) and too_wide(page, PHONE["width"])] == []
    assert opened(page, "/options")
    names = [entry.name for entry in the_guide().contents.entries]
    assert page.evaluate(TOO_WIDE, [["options"], PHONE["width"] - 1]) == ["options"]
    wide = page.evaluate(TOO_WIDE, [names, PHONE["width"]])
    assert wide == []


def test_axe_finds_nothing_in_the_guide(demo: Demo, visit: Visit) -> None:
    page = visit(viewport={"width": 1360, "height": 900}).open("/guide")
    found = {name: violations(page) for name in ("", PAGES[1], "/webhooks") if opened(page, name)}
    assert {name: what for name, what in found.items() if what} == {}


def test_the_guide_is_dark_where_the_reader_is_and_prints_its_text(
    demo: Demo, visit: Visit
) -> None:
    page = visit(color_scheme="dark").open("/guide/security")
    assert red(page) < 60
    page.emulate_media(color_scheme="light")
    assert red(page) > 200
    page.emulate_media(media="print")
    for name in ("Guide", "On this page"):
        expect(page.get_by_role("navigation", name=name)).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("search")).to_be_hidden()


def red(page: Page) -> int:
    """Return how red a page's ground is, of 255."""
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return int(re.findall(r"\d+", color)[0])


def opened(page: Page, name: str) -> bool:
    """Open a page of the guide, and say that it answers."""
    answer = page.goto(f"/guide{name}")
    return answer is not None and answer.status in (200, 404)

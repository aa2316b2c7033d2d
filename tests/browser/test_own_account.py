"""A person's own account in a browser: profile, address, deletion, with and without scripts.

With them each page is looked at, on a dark phone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from pwless_middleware import Outbox, PasswordlessMiddleware
from tests.browser.conftest import SECRET_KEY, Demo, Visit, Visitor, clean
from tests.browser.walk import LONG
from tests.live import clock_of_today, served

JO, NEW = LONG, "new." + LONG


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """Serve an app whose people a database keeps."""
    outbox, clock = Outbox(), clock_of_today()

    def make(url: str) -> ASGIApp:
        return PasswordlessMiddleware(
            PlainTextResponse("private"),
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            database=f"sqlite:///{tmp_path}/pwless.db",
            clock=clock,
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


@pytest.fixture
def visitor(visit: Visit, scripts: bool) -> Visitor:
    """Return a profile with JavaScript on a dark phone, then one without."""
    if not scripts:
        return visit(has_scripts=False)
    return visit(color_scheme="dark", viewport={"width": 320, "height": 640}, is_mobile=True)


def look(page: Page, visitor: Visitor) -> None:
    """Let axe look, and see that nothing is wider than the page, from right to left too."""
    if not visitor.has_scripts:
        return  # axe is one
    clean(page)
    width = page.evaluate(
        """() => {
            document.documentElement.dir = "rtl";
            const width = document.documentElement.scrollWidth - innerWidth;
            document.documentElement.dir = "ltr";
            return width;
        }"""
    )
    assert width <= 0


def test_a_person_keeps_moves_and_deletes_their_account(demo: Demo, visitor: Visitor) -> None:
    page = visitor.sign_in(demo, JO)
    page.goto("/auth/account")
    look(page, visitor)
    page.get_by_label("Name").fill("Jo")
    page.get_by_label("Language").select_option("English")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Your profile is saved.")
    look(page, visitor)
    page.get_by_role("link", name="Change the address").click()
    look(page, visitor)
    page.get_by_label("New email address").fill(JO)
    page.get_by_role("button", name="Email me a code").click()
    expect(page.get_by_role("alert")).to_have_text("This is your address already.")
    look(page, visitor)
    page.get_by_label("New email address").fill(NEW)
    page.get_by_role("button", name="Email me a code").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    look(page, visitor)
    for code in ("000000" if demo.code(NEW) != "000000" else "111111", demo.code(NEW)):
        with page.expect_navigation():
            page.get_by_label("Code", exact=True).fill(code)
            if not visitor.has_scripts:
                page.get_by_role("button", name="Change my address").click()
        look(page, visitor)
    expect(page.get_by_role("status")).to_contain_text("Your address is changed.")

    page.goto(demo.link(JO))
    look(page, visitor)
    if visitor.has_scripts:
        assert "link_token" not in page.url
    page.get_by_role("button", name="Undo the change").click()
    expect(page.get_by_role("heading", name="The change is undone")).to_be_visible()
    look(page, visitor)

    demo.clock.advance(60)
    page = visitor.sign_in(demo, JO)
    page.goto("/auth/account/profile")
    page.get_by_role("link", name="Delete my account").click()
    look(page, visitor)
    page.get_by_label("Yes, I want to delete my account.").check()
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("heading", name="Goodbye")).to_be_visible()
    look(page, visitor)

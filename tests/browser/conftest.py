"""Chromium against the demo under uvicorn. Every console error, anywhere, fails the test."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    WebError,
)

from demo_app.app import create_app
from pwless_middleware import Outbox, PasswordlessMiddleware
from pwless_middleware.pytest_plugin.clock import Clock
from tests.chromium import chromium
from tests.live import clock_of_today, served
from tests.needs import need_chromium

SECRET_KEY = "3f1b0c9a7d5e4b2f8a6c1d0e9f7b5a3c"

_FOLDER = Path(__file__).parent
_BROWSER = pytest.StashKey[Browser]()

# Chromium reports each answer of 4xx as an error. Ours are meant; those of files are not.
_MEANT = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@dataclass(frozen=True)
class Demo:
    """The demo, or another app, as a test sees it: where it is, what it has sent, its clock."""

    url: str
    outbox: Outbox
    clock: Clock
    mailbox_url: str = ""

    def code(self, to: str) -> str:
        """Return the code of the newest mail to an address."""
        message = self.outbox.latest(to)
        assert message is not None
        assert message.code is not None
        return message.code

    def link(self, to: str) -> str:
        """Return the link of the newest mail to an address."""
        message = self.outbox.latest(to)
        assert message is not None
        assert message.link is not None
        return message.link


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Browser:
    """Return the one Chromium of this folder: profiles are apart, and a start takes a second.

    Playwright's event loop runs in this thread from the first test to the last: what needs one of
    its own takes a thread (`in_a_thread`). It ends before the tests of other folders begin.
    """
    folder = next(node for node in request.node.listchain() if node.path == _FOLDER)
    if _BROWSER not in folder.stash:
        need_chromium()
        with contextlib.ExitStack() as starting:
            folder.stash[_BROWSER] = starting.enter_context(chromium())
            starting.callback(folder.stash.__delitem__, _BROWSER)
            folder.addfinalizer(starting.pop_all().close)
    running: Browser = folder.stash[_BROWSER]
    return running


def in_a_thread(make: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Run a coroutine to its end, on an event loop of its own."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: asyncio.run(make())).result()


@pytest.fixture
def demo() -> Iterator[Demo]:
    """Serve a demo of this test's own."""
    outbox, clock = Outbox(), clock_of_today()
    made: list[PasswordlessMiddleware] = []

    def make(url: str) -> object:
        made.append(create_app(secret_key=SECRET_KEY, base_url=url, mailer=outbox, clock=clock))
        return made[0]

    with served(make) as url:
        yield Demo(url, outbox, clock, made[0].passwordless.mailbox_url or "")


@dataclass
class Visitor:
    """One browser profile: its own cookies, and what its console has said."""

    context: BrowserContext
    has_scripts: bool
    problems: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        """Open a new tab; `path` may be a whole URL."""
        page = self.context.new_page()
        page.goto(path)
        return page

    def ask(self, email: str, *, next: str = "/dashboard") -> Page:
        """Ask for a mail and give the tab that waits for it."""
        page = self.open(f"/auth/login?next={next}")
        page.get_by_label("Email address").fill(email)
        page.get_by_role("button").click()
        page.wait_for_url("**/auth/verify")
        return page

    def enter(self, page: Page, code: str) -> None:
        """Type a code, and press the button where no script sends it."""
        with page.expect_navigation():
            page.get_by_label("Code", exact=True).fill(code)
            if not self.has_scripts:
                page.get_by_role("button", name="Sign in").click()

    def sign_in(self, demo: Demo, email: str) -> Page:
        """Sign in by code and give the dashboard's tab."""
        page = self.ask(email)
        self.enter(page, demo.code(email))
        page.wait_for_url("**/dashboard")
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        path = urlsplit(message.location["url"]).path
        is_page = path in ("/own-form", "/notes", "/nothing-here", "/guide/nothing")
        is_answer = is_page or (path.startswith("/auth/") and "/static/" not in path)
        is_meant = is_answer and _MEANT.match(message.text)
        if message.type in ("error", "warning") and not is_meant:
            self.problems.append(f"{message.location['url']}: {message.text}")

    def _fail(self, error: WebError) -> None:
        self.problems.append(str(error.error))


Visit = Callable[..., Visitor]
"""Makes a profile: `has_scripts`, and what Playwright's `new_context` takes."""


@pytest.fixture
def visit(browser: Browser, demo: Demo) -> Iterator[Visit]:
    """Return a maker of profiles; what their consoles complain about fails the test at its end."""
    visitors: list[Visitor] = []

    def make(*, has_scripts: bool = True, **options: Any) -> Visitor:
        base = {"base_url": demo.url, "java_script_enabled": has_scripts}
        context = browser.new_context(**{**base, **options})
        context.set_default_timeout(30_000)
        visitor = Visitor(context, has_scripts)
        context.on("console", visitor._hear)
        context.on("weberror", visitor._fail)
        visitors.append(visitor)
        return visitor

    yield make
    for visitor in visitors:
        for page in visitor.context.pages:
            leave(page)
        visitor.context.close()
    assert [problem for visitor in visitors for problem in visitor.problems] == []


def leave(page: Page) -> None:
    """End what a page still asks, e.g. of an authenticator."""
    for more in (True, True, True, False):
        try:
            page.goto("about:blank")
        except Error as error:  # the page was about to go somewhere itself, or is still leaving
            if not (more and "interrupted by another navigation" in error.message):
                raise
            if 'navigation to "about:blank"' in error.message:  # the one before is under way
                page.wait_for_url("about:blank")
                return
        else:
            return


def violations(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """Return what axe finds on a page: everything in light, and the contrasts in dark as well."""
    # What is well is not written out; axe is not in the frames, and would wait for their answers.
    options = {"resultTypes": ["violations"], "iframes": False, **(options or {})}
    found = Axe().run(page, options=options).response["violations"]
    page.emulate_media(color_scheme="dark")
    contrasts = page.evaluate(
        """(options) => {
            for (const one of document.getAnimations())
                if (one instanceof CSSTransition) one.finish();
            return axe.run({...options, runOnly: ["color-contrast"]});
        }""",
        options,
    )
    page.emulate_media(color_scheme="light")
    return [
        f"{violation['id']}: {node['html']}"
        for violation in [*found, *contrasts["violations"]]
        for node in violation["nodes"]
    ]


def too_wide(page: Page, width: int) -> list[str]:
    """Return how a page is wider than so many pixels, with how wide it is.

    As it is, from right to left, and with text of twice the size (WCAG 2.2, 1.4.4).
    """
    found = []
    for how in ("", "dir", "size"):
        actual = page.evaluate(
            """(how) => {
                const root = document.documentElement;
                if (how === "dir") root.dir = "rtl";
                if (how === "size") root.style.fontSize = "200%";
                const width = Math.max(root.scrollWidth, document.body.scrollWidth);
                root.removeAttribute("dir");
                root.style.removeProperty("font-size");
                return width;
            }""",
            how,
        )
        if actual > width:
            found.append(f"{how}: {actual}")
    return found


def clean(page: Page) -> None:
    """Let axe look, and see that nothing is wider than the page."""
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def scripts() -> bool:
    """Return whether the browser runs scripts; `both_ways` runs a test without them too."""
    return True


both_ways = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
"""For what a script does and a button must do without it. The other pages' forms are filled in and
sent without scripts by every test that has no browser."""


@pytest.fixture
def visitor(visit: Visit, scripts: bool) -> Visitor:
    """Return a profile; with `both_ways`, one with JavaScript, then one without."""
    return visit(has_scripts=scripts)

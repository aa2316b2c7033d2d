"""Walks through every page and every state that a person can see, for tests that look.

Each walk begins with a demo of its own, and is short enough for a test to look at all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Visitor

LONG = "a.rather.long.mailbox.name.that.goes.on+and.on@subdomain.of.a.long.name.example.com"


States = Iterator[tuple[str, Page]]
"""One state after the other: its name and its page."""


def public_pages(demo: Demo, visitor: Visitor) -> States:
    """Open what a stranger sees before any login."""
    page = visitor.open("/")
    yield "home", page
    for path in ("/ways", "/own-form"):
        page.goto(path)
        yield path, page
    page.goto("/spa")
    expect(page.get_by_label("Email address")).to_be_visible()
    yield "front end", page
    page.get_by_label("Email address").fill("spa@example.com")
    page.get_by_label("Email address").press("Enter")
    page.get_by_label("Code from the email").fill("12")
    page.get_by_label("Code from the email").press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "front end, wrong code", page
    page.goto("/auth/outbox")
    yield "mailbox, without its token", page
    page.goto(demo.mailbox_url)
    yield "mailbox", page
    page.goto("/auth/nothing-here")
    yield "not found", page
    page.goto("/")
    with page.expect_navigation():
        page.evaluate(
            """() => {
                const form = Object.assign(document.createElement("form"), {method: "post"});
                form.action = "/notes";
                document.body.append(form);
                form.submit();
            }"""
        )
    yield "a form posted after the session has ended", page
    page.goto("/auth/login?next=/notes")
    yield "login", page
    page.get_by_label("Email address").fill("jo@localhost")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "login, bad address", page


def waiting(demo: Demo, visitor: Visitor) -> States:
    """Ask for an email, use up its tries, and let it expire."""
    page = visitor.ask(LONG)
    yield "check your mail", page
    visitor.enter(page, "000000" if demo.code(LONG) != "000000" else "111111")
    expect(page.get_by_role("alert")).to_be_visible()
    yield "wrong code", page
    page.get_by_role("button", name="Send the email again").click()
    expect(page.get_by_role("status").first).to_contain_text("Sent again")
    yield "sent again, waiting", page
    for _ in range(4):
        visitor.enter(page, "000000" if demo.code(LONG) != "000000" else "111111")
    expect(page.get_by_label("Code", exact=True)).to_have_count(0)
    yield "no tries left", page
    demo.clock.advance(301)
    page.goto("/auth/verify")
    yield "expired", page
    page.goto(demo.link(LONG))
    yield "expired link, may resend", page
    page.goto("/auth/link?link_token=nonsense")
    yield "expired link", page


def odd_emails(demo: Demo, visitor: Visitor) -> States:
    """Ask with a slip, at a provider's, too often, and open a link elsewhere."""
    for _ in range(2):
        page = visitor.ask("often@example.com")
    yield "check your mail, a slip", visitor.ask("jo@hotmial.com")
    yield "check your mail at a provider's", visitor.ask("jo@gmail.com")
    page.goto("/auth/login")
    page.get_by_label("Email address").fill("often@example.com")
    page.get_by_role("button").click()
    yield "too many mails", page
    link = demo.link("often@example.com")
    visitor.context.clear_cookies()
    page.goto(link)
    yield "link in another browser", page


def signed_in(demo: Demo, visitor: Visitor) -> States:
    """Sign in, go round, and sign out."""
    page = visitor.open("/auth/login?next=" + quote("/notes?about=links"))
    page.get_by_label("Email address").fill(LONG)
    page.get_by_role("button").click()
    page.wait_for_url("**/auth/verify")
    visitor.enter(page, demo.code(LONG))
    page.wait_for_url("**/notes?about=links")
    yield "notes", page
    page.goto(demo.link(LONG))
    yield "used link", page
    for path in (
        "/nothing-here",
        "/dashboard",
        "/own-form",
        "/auth/sessions",
        "/auth/logout?next=/",
    ):
        page.goto(path)
        yield path + ", signed in", page
    page.goto("/spa")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    yield "front end, signed in", page
    page.goto("/echo")
    expect(page.get_by_text("Connected.")).to_be_visible()
    page.get_by_label("Say something").fill("hello " * 30)
    page.get_by_label("Say something").press("Enter")
    expect(page.get_by_role("listitem")).to_have_count(1)
    yield "echo", page
    page.goto("/auth/logout")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out").wait_for()
    yield "signed out", page


def confirming(demo: Demo, visitor: Visitor) -> States:
    """Be asked again who it is, some time after the login."""
    page = visitor.sign_in(demo, LONG)
    demo.clock.advance(301)
    page.goto("/auth/step/up?next=/dashboard")
    yield "confirm it's you", page
    page.get_by_role("button", name="Email me a code").click()
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    yield "confirm it's you, by code", page
    wrong = "000000" if demo.code(LONG) != "000000" else "111111"
    with page.expect_navigation():
        page.get_by_label("Code", exact=True).fill(wrong)
        if not visitor.has_scripts:
            page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield "confirm it's you, wrong code", page


Walk = Callable[[Demo, Visitor], States]

WALKS: tuple[Walk, ...] = (public_pages, waiting, odd_emails, signed_in, confirming)

"""Signing in and out in a real browser; where scripts take a part, without them too."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, Visit, Visitor, both_ways

JO = "jo@example.com"


def wrong(code: str) -> str:
    """Return a code that is certainly another one."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)


def heading(page: Page, text: str) -> None:
    """Wait until the page's heading says this."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(text)


@both_ways
def test_a_code_signs_in(demo: Demo, visitor: Visitor) -> None:
    page = visitor.sign_in(demo, JO)
    heading(page, f"Hello, {JO}")


def test_a_code_may_be_typed_with_spaces(demo: Demo, visitor: Visitor) -> None:
    page = visitor.ask(JO)
    code = demo.code(JO)
    visitor.enter(page, f"{code[:3]} {code[3:]}")
    heading(page, f"Hello, {JO}")


@both_ways
def test_the_link_signs_in_the_browser_that_asked(demo: Demo, visitor: Visitor) -> None:
    """With scripts the landing page submits itself; without them it has a button."""
    visitor.ask(JO)
    tab = visitor.open(demo.link(JO))
    if not visitor.has_scripts:
        tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/dashboard")
    heading(tab, f"Hello, {JO}")


def test_the_link_opened_elsewhere_says_where_to_go_and_spends_nothing(
    demo: Demo, visit: Visit, visitor: Visitor
) -> None:
    page = visitor.ask(JO)
    stranger = visit(has_scripts=visitor.has_scripts)
    tab = stranger.open(demo.link(JO))
    heading(tab, "Go back to where you started")
    expect(tab.get_by_role("button")).to_have_count(0)
    assert stranger.context.cookies() == []
    tab.get_by_role("link", name="Sign in here").click()
    tab.wait_for_url("**/auth/login")
    assert [c["name"].rpartition("-")[2] for c in stranger.context.cookies()] == ["device"]
    # Both still work where they were asked for: the code here, and so the link did too.
    visitor.enter(page, demo.code(JO))
    heading(page, f"Hello, {JO}")


def test_a_link_works_once_and_its_browser_is_told_so(
    demo: Demo, visit: Visit, visitor: Visitor
) -> None:
    visitor.ask(JO)
    link = demo.link(JO)
    tab = visitor.open(link)
    if not visitor.has_scripts:
        tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/dashboard")
    again = visitor.open(link)
    heading(again, "You are signed in")
    expect(again.get_by_role("button")).to_have_count(0)
    heading(visit().open(link), "Go back to where you started")


def test_next_is_kept_with_its_query(demo: Demo, visitor: Visitor) -> None:
    """A private page sends to login and gets its visitor back, query and all."""
    page = visitor.open("/notes?about=links")
    page.get_by_label("Email address").fill(JO)
    page.get_by_role("button").click()
    page.wait_for_url("**/auth/verify")
    visitor.enter(page, demo.code(JO))
    page.wait_for_url("**/notes?about=links")
    heading(page, "Notes")


@pytest.mark.parametrize("path", ["/notes?about=links#/orders/5?x=1", "/dashboard#/orders/5"])
def test_the_fragment_is_kept(demo: Demo, visit: Visit, path: str) -> None:
    """It never reaches the server: the browser keeps it over redirects, the form carries it."""
    visitor = visit()
    page = visitor.open(path)
    page.get_by_label("Email address").fill("not an address")
    page.get_by_label("Email address").evaluate("field => field.form.noValidate = true")
    page.get_by_role("button").click()  # and it is kept over a mistake
    page.get_by_label("Email address").fill(JO)
    page.get_by_role("button").click()
    page.wait_for_url("**/auth/verify")
    visitor.enter(page, demo.code(JO))
    page.wait_for_url(f"**{path}")
    assert page.url == demo.url + path


def test_the_fragment_is_kept_by_who_is_signed_in_already(demo: Demo, visit: Visit) -> None:
    visitor = visit()
    visitor.sign_in(demo, JO)
    page = visitor.open("/auth/login?next=/notes#part")
    page.get_by_role("link", name="Continue").click()
    page.wait_for_url("**/notes#part")


def test_a_bad_address_is_told_beside_its_field(demo: Demo, visitor: Visitor) -> None:
    page = visitor.open("/auth/login")
    page.get_by_label("Email address").fill("jo@localhost")
    page.get_by_role("button").click()
    expect(page.get_by_label("Email address")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Email address")).to_have_value("jo@localhost")
    assert demo.outbox.messages == []


def test_a_mistyped_address_is_mended_with_one_press(demo: Demo, visitor: Visitor) -> None:
    page = visitor.ask("jo@gmial.com", next="/notes?about=links")
    expect(page.get_by_text("Did you mean jo@gmail.com?")).to_be_visible()
    page.get_by_role("button", name="Send it there instead").click()
    page.wait_for_load_state()
    expect(page.get_by_text("Did you mean")).to_have_count(0)
    expect(page.get_by_role("link", name="Open Gmail")).to_be_visible()
    visitor.enter(page, demo.code("jo@gmail.com"))
    page.wait_for_url("**/notes?about=links")


def test_another_address_starts_from_the_one_that_was_typed(demo: Demo, visitor: Visitor) -> None:
    page = visitor.ask("jo.typo@example.com", next="/notes?about=links")
    page.get_by_role("link", name="Use another address").click()
    expect(page.get_by_label("Email address")).to_have_value("jo.typo@example.com")
    page.get_by_label("Email address").fill(JO)
    page.get_by_role("button").click()
    page.wait_for_url("**/auth/verify")
    visitor.enter(page, demo.code(JO))
    page.wait_for_url("**/notes?about=links")


@both_ways
def test_a_wrong_code_says_how_many_tries_are_left(demo: Demo, visitor: Visitor) -> None:
    page = visitor.ask(JO)
    code = demo.code(JO)
    visitor.enter(page, wrong(code))
    expect(page.get_by_role("alert")).to_contain_text("4 tries left")
    visitor.enter(page, code)
    heading(page, f"Hello, {JO}")


def test_five_wrong_codes_close_the_field_but_not_the_link(demo: Demo, visitor: Visitor) -> None:
    page = visitor.ask(JO)
    code = demo.code(JO)
    for _ in range(5):
        visitor.enter(page, wrong(code))
        expect(page.get_by_role("alert")).to_be_visible()
    heading(page, "Too many wrong codes")
    expect(page.get_by_role("alert")).to_have_count(1)
    expect(page.get_by_label("Code", exact=True)).to_have_count(0)
    tab = visitor.open(demo.link(JO))
    if not visitor.has_scripts:
        tab.get_by_role("button", name="Sign in").click()
    tab.wait_for_url("**/dashboard")


@both_ways
def test_an_expired_code_leads_to_a_new_mail(demo: Demo, visitor: Visitor) -> None:
    page = visitor.ask(JO)
    old = demo.code(JO)
    demo.clock.advance(301)
    visitor.enter(page, old)
    heading(page, "Your code has expired")
    page.get_by_role("button", name="Send a new email").click()
    expect(page.get_by_role("status").first).to_contain_text("Sent again")
    assert demo.code(JO) != old
    visitor.enter(page, demo.code(JO))
    heading(page, f"Hello, {JO}")


def test_an_expired_link_leads_to_a_new_mail(demo: Demo, visitor: Visitor) -> None:
    visitor.ask(JO)
    demo.clock.advance(301)
    tab = visitor.open(demo.link(JO))
    heading(tab, "This link no longer works")
    tab.get_by_role("button", name="Ask for a new email").click()
    tab.wait_for_url("**/auth/verify")
    visitor.enter(tab, demo.code(JO))
    heading(tab, f"Hello, {JO}")


def test_a_resend_brings_the_same_code_again(demo: Demo, visitor: Visitor) -> None:
    page = visitor.ask(JO)
    first = demo.code(JO)
    page.get_by_role("button", name="Send the email again").click()
    expect(page.get_by_role("status").first).to_contain_text("Sent again")
    assert [m.code for m in demo.outbox.messages] == [first, first]


def test_too_many_mails_are_refused(demo: Demo, visitor: Visitor) -> None:
    for _ in range(2):
        visitor.ask(JO)
    page = visitor.open("/auth/login")
    page.get_by_label("Email address").fill(JO)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("Too many emails")
    assert len(demo.outbox.messages) == 2


@both_ways
def test_signing_out_closes_the_private_pages(demo: Demo, visitor: Visitor) -> None:
    page = visitor.sign_in(demo, JO)
    page.get_by_role("link", name="Sign out").click()
    heading(page, "Sign out of Fernway?")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url(f"{demo.url}/")
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{demo.url}/")
    page.goto("/dashboard")
    heading(page, "Sign in to Fernway")


@pytest.mark.parametrize("button", ["Sign out", "Sign out all others"])
def test_a_second_session_is_ended_from_the_first(
    demo: Demo, visit: Visit, visitor: Visitor, button: str
) -> None:
    first = visitor.sign_in(demo, JO)
    demo.clock.advance(61)
    other = visit(has_scripts=visitor.has_scripts)
    theirs = other.sign_in(demo, JO)
    first.goto("/auth/sessions")
    expect(first.locator(".rows > li")).to_have_count(2)
    first.get_by_role("button", name=button, exact=True).click()
    expect(first.locator(".rows > li")).to_have_count(1)
    expect(first.locator(".rows > li")).to_contain_text("This browser")
    theirs.goto("/dashboard")
    heading(theirs, "Sign in to Fernway")
    first.goto("/dashboard")
    heading(first, f"Hello, {JO}")


@both_ways
def test_signing_out_everywhere_ends_this_one_too(demo: Demo, visitor: Visitor) -> None:
    page = visitor.sign_in(demo, JO)
    page.goto("/auth/sessions")
    page.get_by_role("button", name="Sign out everywhere").click()
    heading(page, "You are signed out")
    page.goto("/notes")
    page.wait_for_url(re.compile("/auth/login"))


def test_a_new_login_ends_the_browsers_older_session(demo: Demo, visitor: Visitor) -> None:
    visitor.sign_in(demo, JO)
    demo.clock.advance(61)
    page = visitor.sign_in(demo, JO)
    page.goto("/auth/sessions")
    expect(page.locator(".rows > li")).to_have_count(1)


def test_pages_lead_back_to_the_app(demo: Demo, visitor: Visitor) -> None:
    page = visitor.open("/auth/login")
    page.get_by_role("link", name="Fernway").click()
    page.wait_for_url(f"{demo.url}/")


def test_a_refusal_says_how_long_it_lasts(demo: Demo, visitor: Visitor) -> None:
    """Seconds for the minute's budget, minutes for the quarter's."""
    said = []
    for sends in (2, 2, 1):
        for _ in range(sends):
            visitor.ask(JO)
        page = visitor.open("/auth/login")
        page.get_by_label("Email address").fill(JO)
        page.get_by_role("button").click()
        said.append(page.get_by_text("Try again in").inner_text())
        demo.clock.advance(61)
    assert "Try again in 60 seconds" in said[0]
    assert re.search(r"Try again in 1\d minutes", said[2])

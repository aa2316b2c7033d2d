"""Confirm it's you, in a browser, with and without scripts."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Demo, Visitor, both_ways


@both_ways
def test_who_is_signed_in_confirms_and_comes_back(demo: Demo, visitor: Visitor) -> None:
    page = visitor.sign_in(demo, "jo@example.com")
    demo.clock.advance(301)
    page.goto("/auth/step/up?within=300&next=/notes")
    page.get_by_role("button", name="Email me a code").click()
    field = page.get_by_label("Code", exact=True)
    expect(field).to_be_visible()
    with page.expect_navigation():
        field.fill("000000" if demo.code("jo@example.com") != "000000" else "111111")
        if not visitor.has_scripts:
            page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("4 tries left")
    with page.expect_navigation():
        field.fill(demo.code("jo@example.com"))
        if not visitor.has_scripts:
            page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/notes")
    page.goto("/auth/step/up?within=300&next=/dashboard")
    expect(page).to_have_url(f"{demo.url}/dashboard")


def test_each_action_on_the_sessions_page_is_confirmed(demo: Demo, visitor: Visitor) -> None:
    page = visitor.sign_in(demo, "jo@example.com")
    page.goto("/auth/sessions")
    expect(page.get_by_text("Active now")).to_have_count(1)
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_text("All your browsers are signed out")).to_be_visible()

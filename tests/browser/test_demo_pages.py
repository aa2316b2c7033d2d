"""The demo's own pages: the socket, the front end by JSON, the form in Python, the snippets."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

import demo_app
from tests.browser.conftest import Demo, Visit, Visitor
from tests.browser.walk import LONG

JO = "jo@example.com"


def test_the_socket_knows_who_speaks(demo: Demo, visit: Visit) -> None:
    page = visit().sign_in(demo, JO)
    page.goto("/echo")
    expect(page.get_by_text("Connected.")).to_be_visible()
    page.get_by_label("Say something").fill("<b>hello</b>")
    page.get_by_label("Say something").press("Enter")
    expect(page.get_by_role("listitem")).to_have_text(f"{JO} said: <b>hello</b>")


def test_a_long_address_leaves_the_phones_header_on_its_two_lines(demo: Demo, visit: Visit) -> None:
    visitor = visit(viewport={"width": 360, "height": 640})
    page = visitor.open("/")
    heights = [page.locator(".bar").bounding_box()]
    page = visitor.sign_in(demo, LONG)
    heights.append(page.locator(".bar").bounding_box())
    assert [box["height"] for box in heights if box] == [heights[0] and heights[0]["height"]] * 2


def test_a_front_end_signs_in_by_json(demo: Demo, visit: Visit) -> None:
    """Send, a wrong code, resend, verify, and out again, without any page of ours."""
    page = visit().open("/spa")
    page.get_by_label("Email address").fill(JO)
    page.get_by_role("button", name="Send me a code").click()
    field = page.get_by_label("Code from the email")
    expect(field).to_be_focused()
    code = demo.code(JO)
    field.fill(code[:-1] + str((int(code[-1]) + 1) % 10))
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("4 tries left")
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_text("Sent again.")).to_be_visible()
    field.fill(demo.code(JO))
    field.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_have_text(f"Hello, {JO}")
    page.goto("/dashboard")
    expect(page.get_by_role("heading", level=1)).to_contain_text(JO)
    page.goto("/spa")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Email address")).to_be_focused()
    page.goto("/dashboard")
    page.wait_for_url("**/auth/login**")


def test_a_front_end_hears_of_the_link(demo: Demo, visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/spa")
    page.get_by_label("Email address").fill(JO)
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_label("Code from the email")).to_be_focused()
    visitor.open(demo.link(JO))
    expect(page.get_by_role("heading", level=2)).to_have_text(f"Hello, {JO}")


def test_a_front_end_without_scripts_says_so(visit: Visit) -> None:
    page = visit(has_scripts=False).open("/spa")
    expect(page.get_by_role("link", name="Sign in without one")).to_be_visible()


def test_the_apps_own_form_signs_in_through_python(demo: Demo, visitor: Visitor) -> None:
    page = visitor.open("/own-form")
    page.get_by_label("Email address").fill(JO)
    page.get_by_role("button", name="Send me a code").click()
    code = demo.code(JO)
    page.get_by_label("Code from the email").fill(code[:-1] + str((int(code[-1]) + 1) % 10))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Code from the email").fill(code)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dashboard")
    expect(page.get_by_role("heading", level=1)).to_contain_text(JO)


def test_a_snippet_is_copied_as_its_file_has_it(visit: Visit) -> None:
    visitor = visit()
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open("/ways")
    page.get_by_role("button", name="Copy pages.py").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    file = Path(demo_app.__file__).parent / "ways" / "pages.py"
    assert copied == file.read_text()

"""The script of the guide's page for front ends, run in Chromium as it stands there."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Demo, Visit
from tests.guide import PAGES, blocks

JO = "jo@example.com"
KEPT = "Object.assign(window, { send, verify, resend, session, signOut })"


def test_the_front_ends_script_signs_in_and_out(demo: Demo, visit: Visit) -> None:
    script = blocks("js", "async function resend", PAGES["front-end"])[0]
    page = visit().open("/auth/login")
    page.evaluate(f"() => {{ {script}\n{KEPT}; }}")
    failed = "error => [error.message, error.details.error_code, error.details.attempts_left]"
    assert page.evaluate(f"session().catch({failed})")[1] == "UNAUTHENTICATED"
    page.evaluate("email => send(email)", JO)
    told = page.evaluate(f"code => verify(code).catch({failed})", "0")
    assert told[1] == "INVALID_ARGUMENT"
    page.evaluate("resend()")
    page.evaluate("code => verify(code)", demo.code(JO))
    assert page.evaluate("session()")["user"]["email"] == JO
    page.evaluate("signOut()")
    page.goto("/dashboard")
    expect(page).to_have_url(f"{demo.url}/auth/login?next=%2Fdashboard")

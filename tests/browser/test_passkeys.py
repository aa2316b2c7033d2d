"""Passkeys in Chromium, with a simulated device: a few whole stories, each page looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from pwless_middleware import EmailLogin, Outbox, Passkeys, PasswordlessMiddleware
from tests.browser.conftest import SECRET_KEY, Demo, Visit, clean
from tests.browser.device import Device
from tests.live import clock_of_today, served
from tests.support import ROOMY

JO, KIM = "jo@example.com", "kim@example.com"
PAGE = "/auth/account/passkeys"
OPTIONS = "**/api/v1/passkeys/**"
PHONE = {"viewport": {"width": 320, "height": 640}, "is_mobile": True}


@pytest.fixture
def required() -> bool:
    """Return whether nobody gets in without a passkey."""
    return False


@pytest.fixture
def demo(tmp_path: Path, required: bool) -> Iterator[Demo]:
    """Serve an app that takes mailed codes and passkeys."""
    outbox, clock = Outbox(), clock_of_today()

    def make(url: str) -> ASGIApp:
        return PasswordlessMiddleware(
            HTMLResponse('<link rel="icon" href="data:,">private'),
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            database=f"sqlite:///{tmp_path}/pwless.db",
            features=[EmailLogin(send_limits=ROOMY), Passkeys(required=required)],
            clock=clock,
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


def mail_in(page: Page, demo: Demo, email: str, *, to: str) -> None:
    """Sign in by a mailed code, and come to a path."""
    page.goto("/auth/login?next=/app")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Email address").press("Enter")
    page.wait_for_url("**/auth/verify")
    page.get_by_label("Code", exact=True).fill(demo.code(email))
    page.wait_for_url(demo.url + to)


def sign_out(page: Page, demo: Demo) -> None:
    """End the session of this browser; the passkey cookie stays, as it does for people."""
    page.goto("/auth/logout")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out")).to_be_visible()


def press(page: Page, name: str) -> None:
    """Press what has this name, by keyboard."""
    page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).focus()
    page.keyboard.press("Enter")


def subjects(demo: Demo) -> list[str]:
    """Return what the newest mails are about, the newest first."""
    return [mail.subject.partition(" your account")[0] for mail in reversed(demo.outbox.messages)]


def test_after_the_first_mail_one_touch_is_enough(demo: Demo, visit: Visit) -> None:
    """Offer, autofill, account, step-up, removal: by keyboard, on a dark phone."""
    page = visit(color_scheme="dark", **PHONE).open("about:blank")
    device = Device(page)
    mail_in(page, demo, JO, to="/auth/passkeys/offer?next=%2Fapp")
    clean(page)
    press(page, "Create a passkey")
    page.wait_for_url(f"{demo.url}/app")
    assert len(device.credentials) == 1
    assert subjects(demo)[0] == "A passkey was added to"

    sign_out(page, demo)
    page.goto("/auth/login?next=/auth/account/passkeys")  # the field's autofill is answered at once
    page.wait_for_url(demo.url + PAGE)
    expect(page.get_by_text("Last used just now")).to_be_visible()
    expect(page.get_by_text("This browser can’t use passkeys")).to_be_hidden()
    clean(page)
    press(page, "Add a passkey")
    expect(page.get_by_text("This device has a passkey for your account already.")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_empty()

    page.get_by_text("Rename", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name").fill("My phone")
    clean(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My phone")).to_be_visible()

    demo.clock.advance(301)
    press(page, "Remove")
    expect(page.get_by_role("heading", name="Confirm it’s you")).to_be_visible()
    expect(page.get_by_role("button", name="Email me a code")).to_have_count(0)
    clean(page)
    press(page, "Use your passkey")
    expect(page.get_by_role("heading", name="Remove this passkey?")).to_be_visible()
    clean(page)
    (kept,) = device.credentials
    press(page, "Remove the passkey")
    expect(page.get_by_role("status").first).to_contain_text("The passkey is removed.")
    assert subjects(demo)[0] == "A passkey was removed from"
    expect(page.get_by_role("listitem").filter(has_text="My phone")).to_have_count(0)
    device.expect_nothing()

    # A device that was not told of the removal has kept it, and is told when it tries.
    sign_out(page, demo)
    device.put(kept)
    page.goto("/auth/login")
    expect(page.get_by_role("alert").first).to_contain_text("This passkey does not work here.")
    clean(page)
    device.expect_nothing()


def test_the_button_signs_in_and_a_prompt_that_is_closed_is_no_error(
    demo: Demo, visit: Visit
) -> None:
    page = visit().open("about:blank")
    device = Device(page, defaultBackupEligibility=False)
    mail_in(page, demo, JO, to="/auth/passkeys/offer?next=%2Fapp")
    press(page, "Create a passkey")
    page.wait_for_url(f"{demo.url}/app")
    sign_out(page, demo)

    device.touch(False)
    page.goto("/auth/login?next=/app%3Fa%3Db#part")
    clean(page)
    device.know(False)
    device.touch(True)
    press(page, "Sign in with a passkey")
    button = page.get_by_role("button", name="Sign in with a passkey")
    expect(button).not_to_have_attribute("aria-disabled", "true")
    expect(button).to_be_focused()
    assert "/auth/login" in page.url
    expect(page.get_by_role("alert")).to_be_empty()
    device.know(True)
    press(page, "Sign in with a passkey")
    page.wait_for_url(f"{demo.url}/app?a=b#part")

    # A copy whose count is behind: of a key that is bound to one device there is none.
    sign_out(page, demo)
    device.touch(False)
    (kept,) = device.credentials
    device.put(kept, signCount=0)
    page.goto("/auth/login")
    device.touch(True)
    press(page, "Sign in with a passkey")
    expect(page.get_by_role("alert").first).to_contain_text("This passkey does not work here.")
    assert len(device.credentials) == 1, "it is known: nobody is told to forget it"


def test_people_on_one_device_have_their_own_and_tabs_do_not_disturb(
    demo: Demo, visit: Visit
) -> None:
    page = visit().open("about:blank")
    device = Device(page, defaultBackupEligibility=True, defaultBackupState=False)
    for email in (JO, KIM):
        device.touch(False)  # else the field's autofill would sign in who was here before
        mail_in(page, demo, email, to="/auth/passkeys/offer?next=%2Fapp")
        device.touch(True)
        press(page, "Create a passkey")
        page.wait_for_url(f"{demo.url}/app")
        page.goto(PAGE)
        expect(page.get_by_text("Synced to your devices")).to_have_count(1)
        if email == JO:
            sign_out(page, demo)
            demo.clock.advance(31 * 86400)  # the same browser is offered one again
    assert len(device.credentials) == 2, "Kim's page told nothing of Jo's"

    for credential in device.credentials:
        device.back_up(credential)
    demo.clock.advance(301)
    page.goto("/auth/step/up?within=300&strength=phishing_resistant&next=/app")
    press(page, "Use your passkey")
    page.wait_for_url(f"{demo.url}/app")

    sign_out(page, demo)
    device.touch(False)
    page.goto("/auth/login?next=/app")
    other = page.context.new_page()
    other.goto("/auth/login")  # asks for options of its own, in the same browser
    expect(other.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    device.touch(True)
    press(page, "Sign in with a passkey")
    page.wait_for_url(f"{demo.url}/app")


@pytest.mark.parametrize("required", [True])
def test_where_a_passkey_is_required_the_code_leads_to_it(demo: Demo, visit: Visit) -> None:
    page = visit(**PHONE).open("about:blank")
    device = Device(page)
    mail_in(page, demo, JO, to="/auth/step/passkey/new")
    clean(page)
    press(page, "Create a passkey")
    page.wait_for_url(f"{demo.url}/app")
    assert len(device.credentials) == 1

    page.context.clear_cookies()
    device.touch(False)
    mail_in(page, demo, JO, to="/auth/step/passkey")
    clean(page)
    device.touch(True)
    press(page, "Use your passkey")
    page.wait_for_url(f"{demo.url}/app")

    page = visit(has_scripts=False).open("/auth/login?next=/app")
    expect(page.get_by_text("passkey")).to_be_hidden()
    expect(page.get_by_text("or", exact=True)).to_be_hidden()
    page.get_by_label("Email address").fill(JO)
    page.get_by_label("Email address").press("Enter")
    page.get_by_label("Code", exact=True).fill(demo.code(JO))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("JavaScript is off")).to_be_visible()


def test_whatever_the_server_answers_nothing_is_asked_for_in_a_loop(
    demo: Demo, visit: Visit
) -> None:
    visitor = visit()
    page = visitor.open("about:blank")
    Device(page, automaticPresenceSimulation=False)
    asked: list[str] = []
    statuses = [200]

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        status = statuses[-1]
        if status == 200:
            route.continue_()
        elif status == 0:
            route.abort("internetdisconnected")
        else:
            route.fulfill(status=status, json={})

    page.route(OPTIONS, answer)
    page.clock.install()
    page.goto("/auth/login")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
    page.clock.run_for(239_000)
    assert len(asked) == 1
    with page.expect_response(OPTIONS):
        page.clock.run_for(2000)  # before the first options are over
    for status, text in ((429, "very often"), (503, "can’t be reached"), (0, "can’t be reached")):
        asked.clear()
        statuses.append(status)
        page.goto("/auth/login")
        page.clock.run_for(600_000)
        press(page, "Sign in with a passkey")
        expect(page.get_by_role("alert").filter(has_text=text)).to_be_visible()
        page.clock.run_for(600_000)
        assert len(asked) == 2, "one for the field, one for the button"
    visitor.problems.clear()  # Chromium reports what was answered on purpose

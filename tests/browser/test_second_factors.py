"""Second factors in Chromium: a few whole stories, each page looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mintotp
import pytest
from playwright.sync_api import Page, expect
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp

from pwless_middleware import EmailLogin, Outbox, Passkeys, PasswordlessMiddleware, TextOutbox
from pwless_middleware.features.second_factors import SecondFactors
from tests.browser.conftest import SECRET_KEY, Demo, Visit, clean
from tests.browser.device import Device
from tests.live import clock_of_today, served
from tests.support import ROOMY

JO = "jo@example.com"
ACCOUNT = "/auth/account/second-factors"
PHONE: dict[str, Any] = {"viewport": {"width": 320, "height": 640}, "is_mobile": True}


@pytest.fixture
def options() -> dict[str, Any]:
    """Return the options of the second factors."""
    return {}


@pytest.fixture
def phones() -> TextOutbox:
    """Return the phones of all people."""
    return TextOutbox()


@pytest.fixture
def demo(tmp_path: Path, options: dict[str, Any], phones: TextOutbox) -> Iterator[Demo]:
    """Serve an app that takes mailed codes, second factors, and passkeys as one."""
    outbox, clock = Outbox(), clock_of_today()

    def make(url: str) -> ASGIApp:
        return PasswordlessMiddleware(
            HTMLResponse('<link rel="icon" href="data:,">private'),
            secret_key=SECRET_KEY,
            base_url=url,
            mailer=outbox,
            database=f"sqlite:///{tmp_path}/pwless.db",
            features=[
                EmailLogin(send_limits=ROOMY),
                SecondFactors(sms=phones, sms_countries=["DE"], **options),
                Passkeys(offer=False),
            ],
            clock=clock,
        )

    with served(make) as url:
        yield Demo(url, outbox, clock)


class App:
    """An authenticator app by another author, with the secret that a page shows."""

    def __init__(self, page: Page, demo: Demo) -> None:
        page.get_by_text("Can’t scan it?").click()
        self._secret = page.locator("code.secret").inner_text().replace(" ", "")
        self._clock = demo.clock

    def code(self) -> str:
        """Return what it shows once it has gone on to the next code."""
        self._clock.advance(30)
        hotp: str = mintotp.hotp(self._secret, self._clock.now // 30)
        return hotp


def mail_in(page: Page, demo: Demo, *, to: str, has_scripts: bool = True) -> None:
    """Sign in by a mailed code, and come to a path."""
    page.goto("/auth/login?next=/app")
    page.get_by_label("Email address").fill(JO)
    page.get_by_label("Email address").press("Enter")
    page.wait_for_url("**/auth/verify")
    page.get_by_label("Code", exact=True).fill(demo.code(JO))
    if not has_scripts:
        page.keyboard.press("Enter")
    page.wait_for_url(re.compile(re.escape(demo.url + to)))


def sign_out(page: Page) -> None:
    """End the session of this browser."""
    page.goto("/auth/logout")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out")).to_be_visible()


def press(page: Page, name: str) -> None:
    """Press what has this name, by keyboard."""
    page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name)).focus()
    page.keyboard.press("Enter")


def text_code(page: Page, phones: TextOutbox, *, count: int) -> str:
    """Return the code of the newest of so many text messages, once it has come."""
    expect(page.get_by_label("Code from the text message")).to_be_visible()
    for _ in range(250):
        if len(phones.messages) == count:
            return phones.messages[-1].code or ""
        page.wait_for_timeout(20)
    raise AssertionError("no text message has come")


@pytest.mark.parametrize("options", [{"trusted_days": 30}])
def test_an_app_is_added_asked_for_and_removed(demo: Demo, visit: Visit) -> None:
    """Account, QR code, recovery codes, step, trust, step-up, removal: on a dark phone."""
    page = visit(color_scheme="dark", **PHONE).open("about:blank")
    mail_in(page, demo, to="/app")
    page.goto(ACCOUNT)
    clean(page)
    press(page, "Add an authenticator app")
    press(page, "I have an app, go on")
    app = App(page, demo)
    link = page.get_by_role("link", name="Open in an app on this device").get_attribute("href")
    assert link is not None
    assert link.startswith("otpauth://totp/")
    clean(page)
    page.get_by_label("Code from the app").fill("000000")
    expect(page.get_by_role("alert")).to_contain_text("4 tries left")
    expect(page.get_by_label("Code from the app")).to_be_focused()
    page.get_by_label("Code from the app").fill(app.code())
    expect(page.get_by_role("heading", name="Save your recovery codes")).to_be_visible()
    press(page, "Show my codes")
    expect(page.locator(".codes li")).to_have_count(10)
    clean(page)
    codes = page.locator(".codes code").all_inner_texts()
    press(page, "I’ve saved them")
    expect(page.get_by_text("10 of 10 are left.")).to_be_visible()

    sign_out(page)
    mail_in(page, demo, to="/auth/step/second-factor")
    expect(page.get_by_label("Code from the app")).to_be_focused()
    page.get_by_label("Code from the app").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("4 tries left")
    page.get_by_text("Try another way").click()
    clean(page)
    press(page, "Recovery code")
    expect(page.get_by_label("Don’t ask again")).to_have_count(0)
    page.get_by_label("Recovery code").fill(codes[0].lower().replace("-", " "))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{demo.url}/app")

    sign_out(page)
    mail_in(page, demo, to="/auth/step/second-factor")
    page.get_by_label("Don’t ask again in this browser for 30 days").check()
    page.get_by_label("Code from the app").fill(app.code())
    page.keyboard.press("Enter")
    page.wait_for_url(f"{demo.url}/app")
    sign_out(page)
    mail_in(page, demo, to="/app")
    page.goto(ACCOUNT)
    expect(page.get_by_text("9 of 10 are left.")).to_be_visible()
    expect(page.get_by_text("This browser")).to_be_visible()
    clean(page)

    page.get_by_text("Rename", exact=True).click()
    page.get_by_label("Name").fill("My phone")
    page.keyboard.press("Enter")
    press(page, "Remove")
    expect(page.get_by_role("heading", name="Confirm it’s you")).to_be_visible()
    clean(page)
    page.get_by_label("Code from the app").fill(app.code())
    expect(page.get_by_role("heading", name="Remove this authenticator app?")).to_be_visible()
    expect(page.get_by_text("It is your last second factor")).to_be_visible()
    press(page, "Remove")
    expect(page.get_by_role("status").first).to_contain_text("It is removed")
    expect(page.get_by_text("Trusted browsers")).to_have_count(0)


@pytest.mark.parametrize("options", [{"mfa": "required"}])
def test_a_login_leads_through_the_first_passkey_and_goes_on_with_it(
    demo: Demo, visit: Visit
) -> None:
    page = visit(**PHONE).open("about:blank")
    device = Device(page)
    mail_in(page, demo, to="/auth/step/second-factor/new")
    clean(page)
    press(page, "Passkey")
    press(page, "Choose another way")
    press(page, "Passkey")
    press(page, "Create a passkey")
    page.wait_for_url(f"{demo.url}/app")

    sign_out(page)
    device.touch(False)
    mail_in(page, demo, to="/auth/step/second-factor")
    clean(page)
    device.touch(True)
    press(page, "Use your passkey")
    page.wait_for_url(f"{demo.url}/app")
    page.goto(ACCOUNT)
    expect(page.get_by_text("Counts as a second factor too.")).to_be_visible()


def test_without_scripts_everything_but_passkeys_works(
    demo: Demo, visit: Visit, phones: TextOutbox
) -> None:
    """An app, a number, recovery codes that can be read, and the step by text message."""
    page = visit(has_scripts=False).open("about:blank")
    mail_in(page, demo, to="/app", has_scripts=False)
    page.goto(f"{ACCOUNT}/totp")
    press(page, "I have an app, go on")
    app = App(page, demo)
    page.get_by_label("Code from the app").fill(app.code())
    press(page, "Confirm")
    press(page, "Show my codes")
    expect(page.locator(".codes li")).to_have_count(10)
    expect(page.get_by_role("button", name="Download")).to_be_hidden()
    page.goto(f"{ACCOUNT}/sms")
    page.get_by_label("Mobile number").fill("01512 3456789")
    press(page, "Text me a code")
    page.get_by_label("Code from the text message").fill(text_code(page, phones, count=1))
    press(page, "Confirm")
    expect(page.get_by_text("Your phone number is added.")).to_be_visible()

    demo.clock.advance(61)
    page.context.clear_cookies()
    mail_in(page, demo, to="/auth/step/second-factor", has_scripts=False)
    page.get_by_text("Try another way").click()
    press(page, "Text message")
    press(page, "Text me a code")
    page.get_by_label("Code from the text message").fill(text_code(page, phones, count=2))
    press(page, "Confirm")
    page.wait_for_url(f"{demo.url}/app")


def test_recovery_codes_are_saved_without_leaving_the_browser(demo: Demo, visit: Visit) -> None:
    """A file, the clipboard, and paper: the codes and the brand, in black on white."""
    visitor = visit(color_scheme="dark")
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.open("about:blank")
    mail_in(page, demo, to="/app")
    page.goto(f"{ACCOUNT}/totp")
    press(page, "I have an app, go on")
    page.get_by_label("Code from the app").fill(App(page, demo).code())
    press(page, "Show my codes")
    expect(page.locator(".codes li")).to_have_count(10)
    codes = page.locator(".codes code").all_inner_texts()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    with page.expect_download() as saved:
        press(page, "Download")
    assert saved.value.suggested_filename == "recovery-codes.txt"
    lines = Path(saved.value.path()).read_text("utf-8").splitlines()
    assert [line for line in lines if line in codes] == codes
    press(page, "Copy")
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").split() == codes
    assert not [url for url in asked if not url.startswith("blob:")]

    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".codes")).to_be_visible()
    expect(page.locator(".brand")).to_be_visible()
    for hidden in ("I’ve saved them", "Download", "This page shows them only now"):
        expect(page.get_by_text(hidden)).to_be_hidden()
    ink = "[getComputedStyle(document.querySelector('.codes code')).color, "
    paper = "getComputedStyle(document.body).backgroundColor]"
    assert page.evaluate(ink + paper) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]

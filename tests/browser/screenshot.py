"""Make the pictures of README and guide from the real pages: `python -m tests.browser.screenshot`.

A name behind it (`login`, `email` …) makes that one alone.
"""

from __future__ import annotations

import asyncio
import base64
import re
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx
import mintotp
from playwright.sync_api import Browser, Page, ViewportSize

import demo_app
from demo_app.app import OPERATOR, create_app
from demo_app.sample_data import Clock, SampleMailer, make_sample_data
from pwless_middleware import PasswordlessMiddleware
from pwless_middleware.delivery.base import Message
from tests.browser.conftest import SECRET_KEY
from tests.browser.device import Device
from tests.chromium import chromium
from tests.live import served

FOLDER = Path(demo_app.__file__).parent / "static"
SIZE: ViewportSize = {"width": 400, "height": 545}
DASHBOARD_SIZE: ViewportSize = {"width": 1280, "height": 800}
EMAIL = "jo@example.com"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "light", "dark")


class Letterbox:
    """Keep the newest code. Not an `Outbox`, so that the pages look as they do in production."""

    delivers_inline = True
    code = html = ""

    async def send(self, message: Message) -> None:
        """Read the code from the text."""
        self.html = message.html
        found = re.search(r"^\s*(\d{6})\s*$", message.text, re.MULTILINE)
        self.code = found[1] if found else ""


def lay_side_by_side(browser: Browser, shots: list[str], name: str) -> None:
    """Lay pictures of phones beside each other in one."""
    images = "".join(f'<img src="data:image/png;base64,{shot}">' for shot in shots)
    width = 24 + 426 * len(shots)
    board = browser.new_page(viewport={"width": width, "height": 593}, device_scale_factor=1)
    board.set_content(
        "<style>body{margin:0;display:flex;gap:24px;padding:24px;background:#e3e8e6}"
        f"img{{width:402px;border-radius:14px;display:block}}</style>{images}"
    )
    board.wait_for_timeout(200)
    board.screenshot(path=FOLDER / name)


def photograph_login() -> None:
    """Photograph three pages and lay them side by side."""
    mailer = Letterbox()
    with (
        served(lambda url: create_app(secret_key=SECRET_KEY, base_url=url, mailer=mailer)) as url,
        chromium() as browser,
    ):
        page = browser.new_page(base_url=url, viewport=SIZE, device_scale_factor=1.5)
        shots = []
        for step, scheme in enumerate(SCHEMES):
            page.emulate_media(color_scheme=scheme)
            if step == 0:
                page.goto("/auth/login")
            elif step == 1:
                page.fill("#email", EMAIL)
                page.press("#email", "Enter")
                page.wait_for_url("**/auth/verify")
            else:
                page.fill("#code", mailer.code)
                page.wait_for_url(f"{url}/")
                page.goto("/auth/sessions")
            shots.append(base64.b64encode(page.screenshot()).decode())
        lay_side_by_side(browser, shots, "screenshot.png")


def photograph_languages() -> None:
    """Photograph the login page in four languages, one of them from right to left."""
    with (
        served(lambda url: create_app(secret_key=SECRET_KEY, base_url=url)) as url,
        chromium() as browser,
    ):
        shots = []
        for language in ("ar", "ja", "de", "hi"):
            page = browser.new_page(base_url=url, viewport=SIZE, locale=language)
            page.goto("/auth/login")
            shots.append(shot_of(page))
        lay_side_by_side(browser, shots, "languages.png")


def photograph_email() -> None:
    """Photograph a sign-in email, light and dark side by side."""
    mailer = Letterbox()
    with (
        served(lambda url: create_app(secret_key=SECRET_KEY, base_url=url, mailer=mailer)) as url,
        chromium() as browser,
    ):
        page = browser.new_page(base_url=url, viewport=SIZE, device_scale_factor=1.5)
        page.goto("/auth/login")
        page.fill("#email", EMAIL)
        page.press("#email", "Enter")
        page.wait_for_url("**/auth/verify")
        # The policy of our pages, on which no style may stand in an attribute, is not an email's.
        email = browser.new_page(viewport=SIZE, device_scale_factor=1.5)
        shots = []
        for scheme in SCHEMES[1:]:
            email.emulate_media(color_scheme=scheme)
            email.set_content(mailer.html)
            shots.append(base64.b64encode(email.screenshot()).decode())
        lay_side_by_side(browser, shots, "email.png")


@contextmanager
def demo_on_a_phone() -> Iterator[tuple[Page, Letterbox, Browser]]:
    """Serve the demo with a database, and give a phone that has signed in to nothing yet."""
    mailer = Letterbox()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/demo.db"

        def make(url: str) -> PasswordlessMiddleware:
            return create_app(secret_key=SECRET_KEY, base_url=url, mailer=mailer, database=database)

        with served(make) as url, chromium() as browser:
            yield (
                browser.new_page(base_url=url, viewport=SIZE, device_scale_factor=1.5),
                mailer,
                browser,
            )


def sign_in(page: Page, mailer: Letterbox, *, to: str | Callable[[str], bool]) -> None:
    """Sign in by a mailed code, and come to a page."""
    page.fill("#email", EMAIL)
    page.press("#email", "Enter")
    page.wait_for_url("**/auth/verify")
    page.fill("#code", mailer.code)
    page.wait_for_url(to)


def shot_of(page: Page, scheme: Literal["light", "dark"] = "light") -> str:
    """Photograph a page, as base64."""
    page.emulate_media(color_scheme=scheme)
    return base64.b64encode(page.screenshot()).decode()


def photograph_passkeys() -> None:
    """Photograph the login page, the offer, and a person's own passkeys."""
    with demo_on_a_phone() as (page, mailer, browser):
        Device(page)
        page.goto("/auth/login")
        page.get_by_role("button", name="passkey").wait_for()
        shots = [shot_of(page)]
        sign_in(page, mailer, to="**/auth/passkeys/offer*")
        page.get_by_role("button", name="Create a passkey").wait_for()
        shots.append(shot_of(page))
        page.get_by_role("button", name="Create a passkey").click()
        page.wait_for_url(lambda url: "/auth/" not in url)
        page.goto("/auth/account/passkeys")
        shots.append(shot_of(page, "dark"))
        lay_side_by_side(browser, shots, "passkeys.png")


def photograph_second_factors() -> None:
    """Photograph the making of an authenticator app, the step of a login, and a person's own."""
    with demo_on_a_phone() as (page, mailer, browser):
        page.goto("/auth/login")
        sign_in(page, mailer, to=lambda url: "/auth/" not in url)
        page.goto("/auth/account/second-factors")
        page.get_by_text("Add an authenticator app").click()
        page.get_by_text("I have an app, go on").click()
        page.get_by_text("Can’t scan it?").click()
        secret = page.locator("code.secret").inner_text().replace(" ", "")
        page.get_by_text("Can’t scan it?").click()
        shots = [shot_of(page)]
        page.get_by_label("Code from the app").fill(mintotp.totp(secret))
        page.get_by_text("Show my codes").click()
        page.get_by_text("I’ve saved them").click()
        page.get_by_text("10 of 10 are left.").wait_for()
        own = shot_of(page, "dark")
        page.context.clear_cookies()
        page.goto("/auth/login")
        sign_in(page, mailer, to="**/auth/step/second-factor*")
        shots += [shot_of(page), own]
        lay_side_by_side(browser, shots, "second-factors.png")


def photograph_setup() -> None:
    """Photograph what a customer's administrator sees: all steps, the choice, Google's values."""
    api_key = "pwk_" + secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/demo.db"

        def make(url: str) -> PasswordlessMiddleware:
            return create_app(
                secret_key=SECRET_KEY,
                base_url=url,
                mailer=Letterbox(),
                database=database,
                api_keys={"backend": api_key},
            )

        with served(make) as url, chromium() as browser:
            headers = {"authorization": f"Bearer {api_key}"}
            with httpx.Client(base_url=f"{url}/auth/api/v1", headers=headers) as backend:
                made = backend.post("/organizations", json={"name": "Acme", "color": "#b3261e"})
                path = f"/organizations/{made.json()['organization']['id']}/setup-links"
                link = backend.post(path, json={}).json()["url"]
            page = browser.new_page(base_url=url, viewport=SIZE, device_scale_factor=1.5)
            page.goto(link)
            page.get_by_role("button", name="Begin in this browser").click()
            page.wait_for_url("**/sso/setup")
            shots = [shot_of(page)]
            page.goto("/auth/sso/setup/provider")
            shots.append(shot_of(page))
            page.get_by_role("button", name="Google Workspace", exact=True).click()
            page.wait_for_load_state()
            shots.append(shot_of(page, "dark"))
            lay_side_by_side(browser, shots, "setup.png")


def photograph_dashboard() -> None:
    """Photograph the overview of the sample data."""
    letterbox = Letterbox()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/sample.db"

        def make_app(clock: Clock, mailer: SampleMailer) -> PasswordlessMiddleware:
            return create_app(secret_key=SECRET_KEY, mailer=mailer, database=database, clock=clock)

        def make_demo(url: str) -> PasswordlessMiddleware:
            return create_app(
                secret_key=SECRET_KEY, base_url=url, mailer=letterbox, database=database
            )

        asyncio.run(make_sample_data(make_app, base_url="http://localhost:8000"))
        with served(make_demo) as url, chromium() as browser:
            page = browser.new_page(base_url=url, viewport=DASHBOARD_SIZE, color_scheme="light")
            page.goto("/auth/login")
            page.fill("#email", OPERATOR)
            page.press("#email", "Enter")
            page.wait_for_url("**/auth/verify")
            page.fill("#code", letterbox.code)
            page.wait_for_url(f"{url}/")
            page.goto("/auth/dashboard/overview?range=month")
            page.screenshot(path=FOLDER / "dashboard.png")


PICTURES = {
    "login": photograph_login,
    "languages": photograph_languages,
    "email": photograph_email,
    "passkeys": photograph_passkeys,
    "second-factors": photograph_second_factors,
    "setup": photograph_setup,
    "dashboard": photograph_dashboard,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        PICTURES[name]()

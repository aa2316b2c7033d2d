"""What people do on the pages of second factors, for tests: as a browser, with an app of another
author."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import mintotp

from pwless_middleware import EmailLogin
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.test_step_up import fields_of
from tests.own_account import make_kept_site
from tests.support import ROOMY, Browser, Site, led_to

JO = "jo@example.com"
ACCOUNT = "/auth/account/second-factors"
CODES = f"{ACCOUNT}/recovery-codes"
CONNECT = f"{ACCOUNT}/totp"
STEP, NEW = "/auth/step/second-factor", "/auth/step/second-factor/new"


def make_page_site(folder: Path, *, others: tuple[Any, ...] = (), **options: Any) -> Site:
    """Make a site with mails and second factors; `options` are those of `SecondFactors`."""
    features = [EmailLogin(send_limits=ROOMY), SecondFactors(**options), *others]
    return make_kept_site(folder, features=features)


class App:
    """An authenticator app, by the secret that a page shows."""

    def __init__(self, browser: Browser, page: httpx.Response) -> None:
        found = re.search(r'<code class="secret"[^>]*>([A-Z2-7 ]+)</code>', page.text)
        assert found is not None, page.text
        self.secret = found[1].replace(" ", "")
        self._clock = browser.home.clock

    def code(self, late: int = 0) -> str:
        """Return the present code, or the one so many periods later."""
        hotp: str = mintotp.hotp(self.secret, self._clock.now // 30 + late)
        return hotp

    def next_code(self) -> str:
        """Wait for the next code."""
        self._clock.advance(30)
        return self.code()


async def begin(browser: Browser, url: str = CONNECT) -> httpx.Response:
    """Press the button that begins, and return the page with the QR code."""
    action, fields = fields_of(await browser.get(url), "go on")
    return await browser.get(led_to(await browser.post(action, fields)))


async def connect(browser: Browser, url: str = CONNECT) -> App:
    """Add an app."""
    page = await begin(browser, url)
    app = App(browser, page)
    done = await type_code(browser, page, app.code())
    assert done.status_code == 303, done.text
    return app


async def type_code(
    browser: Browser, page: httpx.Response, code: str, **more: str
) -> httpx.Response:
    """Type a code into the field of a page."""
    action, fields = fields_of(page, 'name="code"')
    return await browser.post(action, {**fields, "code": code, **more})


async def make_codes(browser: Browser) -> list[str]:
    """Return new recovery codes."""
    action, fields = fields_of(await browser.get(CODES), "codes")
    return codes_on(await browser.post(action, fields))


def codes_on(page: httpx.Response) -> list[str]:
    """Return the recovery codes that a page shows."""
    return re.findall(r'<code dir="ltr">([^<]+)</code>', page.text)


async def come_to_step(browser: Browser, next: str = "") -> httpx.Response:
    """Sign in by a mailed code, and return the page of the step."""
    await browser.ask(JO, next=next)
    asked = await browser.type_code(browser.home.mail(JO).code)
    return await browser.get(led_to(asked))

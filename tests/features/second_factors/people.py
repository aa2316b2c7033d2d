"""What people do with second factors, for tests: over the JSON API, with an app of another author.

What belongs to one's account is done in Python here: its pages and its API have tests of their own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import mintotp

from pwless_middleware import EmailLogin, RedisStore
from pwless_middleware.core.events.event import Event
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.features.second_factors.python import SecondFactorVerbs
from pwless_middleware.features.second_factors.totp.codes import PERIOD
from pwless_middleware.pytest_plugin.mailbox import Mailbox
from tests.features.test_step_up import fields_of
from tests.own_account import make_kept_site
from tests.support import ROOMY, Browser, Clock, Site, error_code, led_to

STEP_API = "/auth/api/v1/step"
JO, KIM = "jo@example.com", "kim@example.com"


def make_factor_site(
    folder: Path, *, second_factors: SecondFactors | None = None, **options: Any
) -> Site:
    """Make a site with mails and second factors, whose people a database keeps."""
    features = [EmailLogin(send_limits=ROOMY), second_factors or SecondFactors()]
    return make_kept_site(folder, **{"features": features, **options})


def make_instances(folder: Path, number: int, *, redis_url: str = "") -> list[Site]:
    """Make sites that share database, store, mailbox and clock, and nothing in process.

    Args:
        folder: of the database.
        number: how many.
        redis_url: of their store; empty keeps it in the database.
    """
    shared: dict[str, Any] = {"clock": Clock(), "outbox": Mailbox(max_messages=1000)}
    return [
        make_factor_site(folder, store=RedisStore(redis_url) if redis_url else None, **shared)
        for _ in range(number)
    ]


class App:
    """An authenticator app on a phone whose clock is the site's."""

    def __init__(self, site: Site, secret: str) -> None:
        self._site = site
        self._secret = secret
        self.id = ""

    def code(self, late: int = 0) -> str:
        """Show the present code, or one of so many periods later."""
        return str(mintotp.hotp(self._secret, self._site.clock.now // PERIOD + late))

    def next_code(self) -> str:
        """Wait for the next code, and show it."""
        self._site.clock.advance(PERIOD)
        return self.code()


def verbs_of(site: Site) -> SecondFactorVerbs:
    """Return the Python interface."""
    return site.passwordless.verbs(SecondFactors)


async def id_of(site: Site, email: str = JO) -> str:
    """Return the id of a person, who is made where there is none."""
    people = site.passwordless.people
    person = await people.find(email) or await people.create(email, by="python")
    return person.id


async def enroll(site: Site, email: str = JO, *, name: str = "") -> App:
    """Return the new app of a person; its first code is used up."""
    user_id = await id_of(site, email)
    begun = await verbs_of(site).begin_totp(user_id)
    app = App(site, begun.secret)
    factor = await verbs_of(site).confirm_totp(
        user_id, enrollment_id=begun.enrollment_id, code=app.code(), name=name
    )
    app.id = factor.id
    return app


async def by_mail(browser: Browser, email: str = JO) -> httpx.Response:
    """Answer a mail's code by JSON."""
    sent = (await browser.call("send", {"email": email})).json()
    code = browser.home.mail(email).code
    return await browser.call("verify", {"auth_request_id": sent["auth_request_id"], "code": code})


async def wait_for_step(browser: Browser, email: str = JO) -> dict[str, Any]:
    """Answer a mail's code, and return what is asked for then."""
    answered = await by_mail(browser, email)
    assert error_code(answered) == "STEP_REQUIRED", answered.text
    return dict(answered.json()["details"][0])


async def do_step(
    browser: Browser, login_id: str | None, code: str, *, method: str = "totp", **more: object
) -> httpx.Response:
    """Try a step of a login, or of the live session where there is no login."""
    body = {"method": method, "code": code, **more}
    return await browser.request(
        "POST", STEP_API, json=body if login_id is None else {"login_id": login_id, **body}
    )


async def confirm_by_mail(browser: Browser, email: str = JO) -> httpx.Response:
    """Prove once more, by a mail, who is signed in."""
    action, fields = fields_of(await browser.get("/auth/step/up"), "Email me a code")
    waits = await browser.get(led_to(await browser.post(action, fields)))
    action, fields = fields_of(waits, 'name="code"')
    code = browser.home.mail(email).code or ""
    return await browser.post(action, {**fields, "code": code})


async def sign_in(browser: Browser, app: App, email: str = JO) -> httpx.Response:
    """Sign in by a mail and the next code of an app."""
    asked = await wait_for_step(browser, email)
    return await do_step(browser, asked["login_id"], app.next_code())


def newest_event(site: Site, kind: str) -> Event:
    """Return the newest event of a kind."""
    return site.passwordless.events.recent(kind=kind)[0]

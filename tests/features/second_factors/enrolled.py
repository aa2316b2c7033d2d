"""People with second factors in a browser, for tests: as of `people`, by the JSON API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from pwless_middleware import EmailLogin
from pwless_middleware.core.events.event import Event
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.second_factors.people import JO, STEP_API, App
from tests.own_account import make_kept_site
from tests.support import ROOMY, Browser, Site

API = "/auth/api/v1/factors"


def make_factor_site(folder: Path, *more: Any, **options: Any) -> Site:
    """Make a site with mails and second factors, whose people a database keeps.

    Args:
        folder: of the database.
        more: further features.
        options: of `SecondFactors`; and `clock`, `bearer` and `users` of the site.
    """
    of_site = {name: options.pop(name) for name in (*options,) if name in _OF_SITE}
    features = [EmailLogin(send_limits=ROOMY), SecondFactors(**options), *more]
    return make_kept_site(folder, features=features, **of_site)


_OF_SITE = ("clock", "bearer", "users")


async def add_app(browser: Browser, *, name: str = "") -> App:
    """Add an authenticator app for who is signed in."""
    begun = await browser.request("POST", f"{API}/totp")
    assert begun.status_code == 200, begun.text
    app = App(browser.home, begun.json()["secret"])
    body = {"enrollment_id": begun.json()["enrollment_id"], "code": app.next_code()}
    body |= {"name": name} if name else {}
    done = await browser.request("POST", f"{API}/totp/confirm", json=body)
    assert done.status_code == 201, done.text
    app.id = done.json()["factor"]["id"]
    return app


async def enroll(site: Site, email: str = JO, **browser: Any) -> tuple[Browser, App]:
    """Return a browser signed in by a mail, and an app of the person's."""
    found = site.browser(**browser)
    await found.sign_in(email)
    return found, await add_app(found)


async def do_step(browser: Browser, method: str, code: str) -> httpx.Response:
    """Answer the step of the browser's pending login."""
    login_id = (await browser.get(STEP_API)).json()["login_id"]
    body = {"login_id": login_id, "method": method, "code": code}
    return await browser.request("POST", STEP_API, json=body)


async def sign_in(browser: Browser, app: App, email: str = JO) -> None:
    """Sign in by a mail, on the pages, and the app."""
    await browser.sign_in(email)
    done = await do_step(browser, "totp", app.next_code())
    assert done.status_code == 200, done.text


async def prove_again(browser: Browser, app: App) -> None:
    """Renew a live session by the app."""
    body = {"method": "totp", "code": app.next_code()}
    done = await browser.request("POST", STEP_API, json=body)
    assert done.status_code == 200, done.text


async def user_id_of(browser: Browser) -> str:
    """Return the id of who is signed in."""
    return str((await browser.get("/private")).json()["id"])


async def factors_of(browser: Browser) -> dict[str, Any]:
    """Return the factors of who is signed in."""
    return dict((await browser.get(API)).json())


def events_of(site: Site, *kinds: str) -> list[Event]:
    """Return the events of these kinds, kind by kind, the newest first."""
    return [event for kind in kinds for event in site.passwordless.events.recent(kind=kind)]

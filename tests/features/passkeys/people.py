"""What people do with passkeys, for tests: over the JSON API, with an authenticator of software."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.core.events.event import Event
from tests.features.passkeys.authenticator import Authenticator, b64
from tests.own_account import make_kept_site
from tests.support import BASE, ROOMY, Browser, Site

API = "/auth/api/v1/passkeys"
STEP_API = "/auth/api/v1/step"
JO, KIM = "jo@example.com", "kim@example.com"


def make_passkey_site(folder: Path, *, passkeys: Passkeys | None = None, **options: Any) -> Site:
    """Make a site with mails and passkeys, whose people a database keeps."""
    features = [EmailLogin(send_limits=ROOMY), passkeys or Passkeys()]
    return make_kept_site(folder, **{"features": features, **options})


async def ask(browser: Browser, path: str = "/login/options", **body: object) -> dict[str, Any]:
    """Ask for options."""
    asked = await browser.request("POST", API + path, json=body)
    assert asked.status_code == 200, asked.text
    return dict(asked.json())


async def make_passkey(
    browser: Browser, authenticator: Authenticator, *, name: str = "", **tampering: Any
) -> httpx.Response:
    """Make a passkey for who is signed in."""
    asked = await ask(browser, "/options")
    credential = authenticator.create(asked["options"], **{"origin": BASE, **tampering})
    body = {"ceremony_id": asked["ceremony_id"], "credential": credential}
    return await browser.request("POST", API, json=body | ({"name": name} if name else {}))


async def enroll(
    site: Site, email: str = JO, authenticator: Authenticator | None = None
) -> tuple[Browser, Authenticator]:
    """Return a browser signed in by a mail, and an authenticator with a passkey of the person."""
    found, authenticator = site.browser(), authenticator or Authenticator()
    await found.sign_in(email)
    made = await make_passkey(found, authenticator)
    assert made.status_code == 201, made.text
    return found, authenticator


async def answer(
    browser: Browser, asked: Mapping[str, Any], credential: object, **more: Any
) -> httpx.Response:
    """Answer a prompt of the login."""
    body = {"ceremony_id": asked["ceremony_id"], "credential": credential}
    return await browser.request("POST", f"{API}/login/verify", json=body, **more)


async def sign_in(
    browser: Browser, authenticator: Authenticator, **tampering: Any
) -> httpx.Response:
    """Sign in with a passkey."""
    asked = await ask(browser)
    credential = authenticator.get(asked["options"], **{"origin": BASE, **tampering})
    return await answer(browser, asked, credential)


async def prove_again(
    browser: Browser, authenticator: Authenticator, **tampering: Any
) -> httpx.Response:
    """Renew a live session by a passkey."""
    asked = (await browser.get(STEP_API)).json()
    prompt = next(one for one in asked["methods"] if one["method"] == "passkey")
    credential = authenticator.get(prompt["options"], **{"origin": BASE, **tampering})
    body = {
        "method": "passkey",
        "ceremony_id": prompt["ceremony_id"],
        "credential": credential,
    }
    return await browser.request("POST", STEP_API, json=body)


def id_of(authenticator: Authenticator) -> str:
    """Return the credential id of an authenticator's first passkey."""
    return b64(authenticator.passkeys[0].id)


def newest_event(site: Site, kind: str) -> Event:
    """Return the newest event of a kind."""
    return site.passwordless.events.recent(kind=kind)[0]


def reason(site: Site) -> str | None:
    """Return why the last answer with a passkey was refused."""
    return newest_event(site, "passkey.refused").reason

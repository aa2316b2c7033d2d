"""What `passkeys.js` does with the forms of our pages, for tests without a browser."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from pwless_middleware.features.passkeys.browser import PasskeyBrowser
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import JO, ask
from tests.support import BASE, Browser

PAGE, OFFER = "/auth/account/passkeys", "/auth/passkeys/offer"
STEP_UP = "/auth/step/up?within=300&next=/there"


def filled(asked: Mapping[str, Any], credential: object, **fields: str) -> dict[str, str]:
    """Return a form with the answer to a prompt."""
    answer = {"ceremony_id": asked["ceremony_id"], "credential": json.dumps(credential)}
    return {**fields, **answer}


async def created(browser: Browser, authenticator: Authenticator, **fields: str) -> dict[str, str]:
    """Return a form with a passkey that was made for who is signed in."""
    asked = await ask(browser, "/options")
    return filled(asked, authenticator.create(asked["options"], origin=BASE), **fields)


async def press_login(
    browser: Browser, authenticator: Authenticator, *, next: str = "", **tampering: Any
) -> httpx.Response:
    """Press the login page's button."""
    asked = await ask(browser)
    credential = authenticator.get(asked["options"], **{"origin": BASE, **tampering})
    return await browser.post("/auth/login", filled(asked, credential, next=next))


async def press_on(
    browser: Browser,
    url: str,
    authenticator: Authenticator,
    *,
    creates: bool = False,
    **fields: str,
) -> httpx.Response:
    """Press the button of a page that gives the options itself."""
    asked = (await browser.post(url, fields)).json()
    do = authenticator.create if creates else authenticator.get
    return await browser.post(url, filled(asked, do(asked["options"], origin=BASE), **fields))


async def come_with_authenticator(browser: Browser, email: str = JO) -> httpx.Response:
    """Sign in by mail with a browser whose script has said that its device keeps passkeys."""
    await ask(browser, platform_authenticator=True)
    return await browser.sign_in(email)


def browser_of(browser: Browser) -> PasskeyBrowser | None:
    """Return what a browser's passkey cookie holds."""
    cookies = browser.home.passwordless.cookies
    name = cookies.names.passkeys.decode()
    header = f"{name}{browser.cookies.get(name.removesuffix('='), '')}".encode()
    return PasskeyBrowser.unpack(cookies.passkeys([(b"cookie", header)]))

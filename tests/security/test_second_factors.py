"""Every way in, for a person with a second factor: none is a session before the step is done.

The matrix of security rules 40, 46 and 48: whichever first factor it was, by whichever interface,
with whatever cookie came along. The trial is always the same: the app's own handlers, a socket, and
the pages and JSON of the account.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.types import Message

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.errors import StepRequired
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.second_factors.people import (
    JO,
    KIM,
    STEP_API,
    do_step,
    enroll,
    make_factor_site,
    sign_in,
    wait_for_step,
)
from tests.own_account import change
from tests.support import (
    BASE,
    ROOMY,
    Browser,
    Site,
    cookie_header,
    error_code,
    led_to,
    run,
    socket_scope,
)

pytestmark = pytest.mark.anyio

GUARDED = [
    "/private",
    "/auth/account/profile",
    "/auth/account/sessions",
    "/auth/account/address",
    "/auth/account/second-factors",
    "/auth/account/passkeys",
    "/auth/step/up",
]
GUARDED_API = [
    "/auth/api/v1/session",
    "/auth/api/v1/sessions",
    "/auth/api/v1/account",
    "/auth/api/v1/account/export",
    "/auth/api/v1/factors",
    "/auth/api/v1/passkeys",
]


@pytest.fixture
async def site(tmp_path: Path) -> Site:
    """Return a site on which Jo has an authenticator app, and Kim nothing."""
    found = make_factor_site(
        tmp_path,
        features=[EmailLogin(send_limits=ROOMY), Passkeys(offer=False), SecondFactors()],
        bearer=True,
    )
    await enroll(found)
    return found


async def by_code(site: Site, browser: Browser) -> object:
    await browser.ask(JO)
    return led_to(await browser.type_code(site.mail(JO).code))


async def by_link(site: Site, browser: Browser) -> object:
    await browser.ask(JO)
    return led_to(await browser.press_link(site.mail(JO).link))


async def by_json(site: Site, browser: Browser) -> object:
    await wait_for_step(browser)
    return "/auth/step/second-factor"


@pytest.mark.parametrize("first", [by_code, by_link, by_json])
async def test_a_browser_has_nothing_before_the_step(
    site: Site, first: Callable[[Site, Browser], Awaitable[object]]
) -> None:
    jo = site.browser()
    assert await first(site, jo) == "/auth/step/second-factor"
    assert jo.cookie() is None
    await reaches_nothing(site, jo)


async def test_what_waits_is_no_session_under_any_of_our_cookies(site: Site) -> None:
    """A pending cookie, or a pending id, in the place of another cookie or of a token."""
    jo = site.browser()
    asked = await wait_for_step(jo)
    for handle in (asked["login_id"], str(jo.cookie("pending"))):
        for part in ("", "device", "flow", "trusted"):
            stolen = site.browser(cookies={site.browser().cookie_name(part): handle})
            assert await stolen.who() is None
        bearer = site.browser(headers={"authorization": f"Bearer {handle}"})
        assert (await bearer.get("/private")).status_code == 401
        assert (await bearer.get("/auth/api/v1/session")).status_code == 401


async def test_python_gets_no_session_before_the_step(site: Site) -> None:
    sent = await site.passwordless.send(JO)
    with pytest.raises(StepRequired):
        await site.passwordless.verify(
            auth_request_id=sent.auth_request_id, code=site.mail(JO).code
        )
    assert site.sessions == 0


async def test_a_known_browser_of_somebody_else_is_asked(site: Site) -> None:
    """The device cookie of Kim's browser, and her session in it, are worth nothing to Jo."""
    shared = site.browser()
    await shared.sign_in(KIM)
    assert await by_code(site, shared) == "/auth/step/second-factor"
    assert await shared.who() == KIM
    again = await shared.get("/auth/api/v1/session")
    assert again.json()["user"]["email"] == KIM


async def test_a_person_is_told_of_nothing_before_the_first_factor(site: Site) -> None:
    """Pages and answers of who has a factor are those of who has none (security rule 46)."""
    bodies = []
    for email in (JO, KIM, "nobody@example.com"):
        stranger = site.browser()
        sent = await stranger.call("send", {"email": email})
        wrong = await stranger.call(
            "verify", {"auth_request_id": sent.json()["auth_request_id"], "code": "000000"}
        )
        asked = await stranger.get(STEP_API)
        bodies.append(
            (
                sent.status_code,
                sorted(sent.json()),
                wrong.status_code,
                wrong.text,
                asked.status_code,
                asked.text,
            )
        )
    assert bodies[0] == bodies[1] == bodies[2]


# --- a pending login, in other hands or at another time ------------------------------------------


async def test_a_pending_login_does_not_outlive_a_change_of_address(site: Site) -> None:
    app = await enroll(site)
    jo, thief = site.browser(), site.browser()
    assert (await sign_in(jo, app)).status_code == 200
    login_id = (await wait_for_step(thief))["login_id"]
    await change(jo)
    assert error_code(await do_step(thief, login_id, app.next_code())) == "REQUEST_EXPIRED"


async def test_a_pending_login_reaches_no_enrollment_where_there_is_a_factor(site: Site) -> None:
    jo = site.browser()
    login_id = (await wait_for_step(jo))["login_id"]
    body = {"login_id": login_id, "method": "totp"}
    refused = await jo.request("POST", f"{STEP_API}/enroll", json=body)
    assert refused.status_code == 410
    for path in ("/auth/step/second-factor/new", "/auth/step/passkey/new"):
        assert (await jo.get(path)).status_code != 200
    for path in ("totp", "totp/confirm", "recovery-codes", "sms"):
        denied = await jo.request("POST", f"/auth/api/v1/factors/{path}", json={})
        assert denied.status_code in (401, 404, 405), path


# --- help ----------------------------------------------------------------------------------------


async def reaches_nothing(site: Site, browser: Browser) -> None:
    """Try every door with what a browser holds."""
    assert site.sessions == 0
    before = len(site.inner.scopes)
    for path in GUARDED:
        page = await browser.get(path, headers={"accept": "text/html"})
        assert page.status_code in (303, 401, 404), path
        if page.status_code == 303:
            assert "/auth/login" in str(led_to(page)), path
    for path in GUARDED_API:
        answer = await browser.get(path)
        assert answer.status_code in (401, 404), path
    sent = await open_socket(site, browser)
    assert [one["type"] for one in sent] == ["websocket.close"]
    assert len(site.inner.scopes) == before


async def open_socket(site: Site, browser: Browser) -> list[Message]:
    headers = [*cookie_header(browser), (b"origin", BASE.encode())]
    return await run(site.app, socket_scope(headers=headers), [{"type": "websocket.connect"}])

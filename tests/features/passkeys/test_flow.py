"""Passkeys that are required: from the first mail to the passkey, and no way around it, in JSON.

Security rule 48.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from pwless_middleware import Passkeys
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import (
    API,
    JO,
    KIM,
    STEP_API,
    enroll,
    id_of,
    make_passkey_site,
    newest_event,
    reason,
    sign_in,
)
from tests.support import BASE, Browser, Site, error_code

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_passkey_site(tmp_path, passkeys=Passkeys(required=True))


async def by_mail(browser: Browser, email: str = JO) -> dict[str, Any]:
    """Answer a mail's code, and return what is asked for then."""
    sent = (await browser.call("send", {"email": email})).json()
    code = browser.home.mail(email).code
    answered = await browser.call(
        "verify", {"auth_request_id": sent["auth_request_id"], "code": code}
    )
    assert error_code(answered) == "STEP_REQUIRED", answered.text
    return dict(answered.json()["details"][0])


async def ask_step(browser: Browser) -> dict[str, Any]:
    """Return what the step of a browser's pending login asks for."""
    asked = (await browser.get(STEP_API)).json()
    (method,) = asked["methods"]
    return {**asked, **method}


async def do_step(browser: Browser, asked: dict[str, Any], credential: object) -> httpx.Response:
    """Answer it."""
    body = {
        "login_id": asked["login_id"],
        "method": "passkey",
        "ceremony_id": asked["ceremony_id"],
        "credential": credential,
    }
    return await browser.request("POST", STEP_API, json=body)


async def make_first(browser: Browser, authenticator: Authenticator, email: str = JO) -> None:
    """Go from a mail to a passkey and a session."""
    await by_mail(browser, email)
    asked = await ask_step(browser)
    assert asked["enrolls"] is True
    done = await do_step(browser, asked, authenticator.create(asked["options"], origin=BASE))
    assert done.status_code == 200, done.text


async def test_one_flow_from_the_first_mail_to_the_passkey(site: Site) -> None:
    jo, authenticator = site.browser(), Authenticator()
    asked = await by_mail(jo)
    assert asked["steps"] == ["passkey"]
    assert await jo.who() is None
    asked = await ask_step(jo)
    assert asked["enrolls"] is True
    done = await do_step(jo, asked, authenticator.create(asked["options"], origin=BASE))
    assert done.status_code == 200, done.text
    assert (done.json()["email"], done.json()["is_new_user"]) == (JO, True)
    assert await jo.who() == JO
    session = (await jo.get("/auth/api/v1/session")).json()["session"]
    assert session["methods"] == ["email_code", "passkey"]
    assert newest_event(site, "passkey.added").by == "person"


async def test_with_a_passkey_a_mail_alone_is_no_way_in(site: Site) -> None:
    jo, authenticator = site.browser(), Authenticator()
    await make_first(jo, authenticator)
    later = site.browser()
    await by_mail(later)
    asked = await ask_step(later)
    assert asked["enrolls"] is False
    assert asked["options"]["allowCredentials"][0]["id"] == id_of(authenticator)
    thief = Authenticator()
    creation = {"challenge": asked["options"]["challenge"], "user": {"id": "AAAA"}}
    creation |= {"rp": {"id": "app.example.com"}}
    creation |= {"pubKeyCredParams": [{"type": "public-key", "alg": -7}]}
    made = thief.create(creation, origin=BASE)
    refused = await do_step(later, asked, made)
    assert error_code(refused) in ("INVALID_ARGUMENT", "INVALID_CREDENTIAL")
    asked = await ask_step(later)
    done = await do_step(later, asked, authenticator.get(asked["options"], origin=BASE))
    assert done.status_code == 200, done.text
    assert await later.who() == JO
    assert (await sign_in(site.browser(), authenticator)).status_code == 200


async def test_a_pending_login_makes_no_passkey_where_one_has_come_meanwhile(site: Site) -> None:
    """Security rule 48: what a mail alone proves enrolls nothing where something is enrolled."""
    thief, jo, authenticator = site.browser(ip="198.51.100.9"), site.browser(), Authenticator()
    await by_mail(thief)
    asked = await ask_step(thief)
    stolen = Authenticator().create(asked["options"], origin=BASE)
    await make_first(jo, authenticator)
    assert error_code(await do_step(thief, asked, stolen)) == "INVALID_CREDENTIAL"
    assert reason(site) in ("not_first", "other_handle")
    assert (await thief.get(STEP_API)).json()["methods"] == []
    assert await thief.who() is None


async def test_of_two_pending_logins_one_makes_the_first_passkey(site: Site) -> None:
    browsers = [site.browser(), site.browser()]
    asked = []
    for browser in browsers:
        await by_mail(browser)
        asked.append(await ask_step(browser))
    made = [Authenticator().create(one["options"], origin=BASE) for one in asked]
    done = await asyncio.gather(
        *(do_step(*three) for three in zip(browsers, asked, made, strict=True))
    )
    assert sorted(one.status_code for one in done) == [200, 400]
    assert site.sessions == 1


async def test_a_pending_login_reaches_nothing_but_its_step(site: Site) -> None:
    jo = site.browser()
    await by_mail(jo)
    for method, path in (
        *(("GET", API), ("POST", API), ("POST", f"{API}/options"), ("DELETE", f"{API}/AA")),
    ):
        answered = await jo.request(method, path, json={} if method != "GET" else None)
        assert error_code(answered) == "UNAUTHENTICATED", path


async def test_the_challenge_of_a_step_is_its_logins_own(site: Site) -> None:
    jo, kim = site.browser(), site.browser()
    await by_mail(jo)
    await by_mail(kim, KIM)
    of_jo, of_kim = await ask_step(jo), await ask_step(kim)
    made = Authenticator().create(of_jo["options"], origin=BASE)
    mixed = {**of_kim, "ceremony_id": of_jo["ceremony_id"]}
    assert error_code(await do_step(kim, mixed, made)) == "REQUEST_EXPIRED"
    assert reason(site) == "other_holder"
    other_browser = await do_step(kim, of_jo, made)
    assert error_code(other_browser) == "REQUEST_EXPIRED"
    assert (await do_step(jo, of_jo, made)).status_code == 200


async def test_a_step_has_five_tries(site: Site) -> None:
    jo = site.browser()
    await by_mail(jo)
    for number in range(6):
        asked = await ask_step(jo)
        made = Authenticator().create(asked["options"], origin="https://evil.example")
        refused = await do_step(jo, asked, made)
        expected = "INVALID_CREDENTIAL" if number < 5 else "TOO_MANY_ATTEMPTS"
        assert error_code(refused) == expected, number


async def test_a_malformed_answer_to_a_step_names_the_field(site: Site) -> None:
    jo = site.browser()
    await by_mail(jo)
    asked = await ask_step(jo)
    credentials: tuple[object, ...] = ({}, {"id": 5}, [], "x", None)
    for credential in credentials:
        refused = await do_step(jo, asked, credential)
        assert error_code(refused) == "INVALID_ARGUMENT", credential
        assert '"credential' in refused.text


async def test_an_operator_resets_who_has_lost_all_passkeys(site: Site) -> None:
    jo, lost, new = site.browser(), Authenticator(), Authenticator()
    await make_first(jo, lost)
    user_id = (await jo.get("/private")).json()["id"]
    verbs = site.passwordless.verbs(Passkeys)
    assert await verbs.reset(user_id, by="operator:u-1") == 1
    assert await verbs.reset(user_id, by="operator:u-1") == 0
    assert newest_event(site, "passkey.removed").by == "operator:u-1"
    again = site.browser()
    await make_first(again, new)
    assert await again.who() == JO
    assert error_code(await sign_in(site.browser(), lost)) == "INVALID_CREDENTIAL"


async def test_a_server_takes_the_steps_for_its_person(site: Site) -> None:
    server, authenticator = site.backend(), Authenticator()
    sent = (await server.send(JO)).json()
    answered = await server.verify(sent["auth_request_id"], code=site.mail(JO).code)
    login_id = answered.json()["details"][0]["login_id"]
    asked = (await server.browser.get(f"{STEP_API}?login_id={login_id}")).json()
    asked = {**asked, **asked["methods"][0]}
    done = await do_step(server.browser, asked, authenticator.create(asked["options"], origin=BASE))
    assert done.status_code == 200, done.text
    assert done.json()["session_token"].startswith("pws_")


async def test_nobody_is_asked_for_a_passkey_where_none_is_required(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    await enroll(site)
    by_mail_alone = site.browser()
    await by_mail_alone.sign_in(JO)
    assert await by_mail_alone.who() == JO


async def test_an_operator_makes_passkeys_required_while_the_app_runs(tmp_path: Path) -> None:
    site = make_passkey_site(tmp_path)
    await site.passwordless.settings.set({"passkeys.required": True}, by="operator:u-1")
    await by_mail(site.browser())

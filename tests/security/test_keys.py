"""Rotation: an older key of the list opens what was made under it alone (security rule 6).

`[OLD, NEW]` is the list after a rotation. Whoever has the old key may have copied it from a backup:
what is made under the new one must be out of reach for it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.keys.keyring import Keyring
from tests.security.factor import RIGHT, Factor
from tests.support import (
    KEY,
    OTHER_KEY,
    ROOMY,
    Browser,
    Site,
    challenge_of,
    cookie_header,
    make_site,
    token_of,
)

pytestmark = pytest.mark.anyio
OLD, NEW = KEY, OTHER_KEY


def processes(
    *keys: list[str], same_browser: bool = True, factor: bool = False, **options: Any
) -> list[Site]:
    """Make processes on one store, each with its list of keys."""
    made: list[Site] = []
    for secret_key in keys:
        login = EmailLogin(send_limits=ROOMY, same_browser=same_browser)
        if made:
            options.update(store=made[0].store, clock=made[0].clock, outbox=made[0].outbox)
        features = [login, Factor()] if factor else [login]
        made.append(make_site(secret_key=secret_key, features=features, **options))
    return made


def keyring_of(site: Site) -> Keyring:
    return site.passwordless.cookies._keyring


def moved(browser: Browser, site: Site) -> Browser:
    """Let a browser be served by another process from now on."""
    return site.browser(cookies=browser.cookies)


@pytest.mark.parametrize("same_browser", [True, False])
async def test_a_link_made_with_an_older_key_opens_no_challenge_of_the_current_one(
    same_browser: bool,
) -> None:
    """Even with everything else of the challenge, its salt included."""
    (site,) = processes([OLD, NEW], same_browser=same_browser)
    jo = site.browser()
    await jo.ask("jo@example.com")
    keyring, challenge = keyring_of(site), challenge_of(site)
    (old_id,) = set(keyring._keys) - {keyring.current}
    forged = keyring.link_token(replace(challenge, key_id=old_id))
    for browser in (jo, site.browser()):
        pressed = await browser.post("/auth/link", {"link_token": forged})
        assert pressed.status_code in (410, 403)
        assert await browser.who() is None
    assert "Sign in" not in (await jo.get(f"/auth/link?link_token={forged}")).text
    assert (await jo.press_link(site.mail().link)).status_code == 303


async def test_a_link_stops_with_its_key_and_is_worth_nothing_under_the_next() -> None:
    before, after = processes([OLD], [NEW])
    jo = before.browser()
    await jo.ask("jo@example.com")
    there = moved(jo, after)
    assert (await there.press_link(before.mail().link)).status_code == 410
    assert (await there.type_code(before.mail().code)).status_code == 410
    assert (await jo.press_link(before.mail().link)).status_code == 303


async def test_a_flow_cookie_made_with_an_older_key_is_not_the_browser_that_asked() -> None:
    """Else who has the old key and sees a link or code would need the person's browser no more."""
    (site,) = processes([OLD, NEW])
    jo = site.browser()
    await jo.ask("jo@example.com")
    challenge, (old,) = challenge_of(site), processes([OLD])
    forged = keyring_of(old).seal("flow", challenge.id)
    thief = site.browser(cookies={jo.cookie_name("flow"): forged})
    assert (await thief.type_code(site.mail().code)).status_code == 410
    assert (await thief.post("/auth/resend", {})).status_code == 410
    link = str(site.mail().link)
    assert (await thief.get(link)).status_code == 410
    assert (await thief.post("/auth/link", {"link_token": token_of(link)})).status_code == 410
    assert (await jo.press_link(link)).status_code == 303


async def test_a_request_id_made_with_an_older_key_is_none() -> None:
    (site,) = processes([OLD, NEW])
    backend = site.backend()
    request_id = (await backend.send("jo@example.com")).json()["auth_request_id"]
    challenge, (old,) = challenge_of(site), processes([OLD])
    forged = keyring_of(old).seal("request", challenge.id)
    assert (await backend.verify(forged, code=site.mail().code)).status_code == 410
    assert (await backend.resend(forged)).status_code == 410
    assert (await backend.verify(request_id, code=site.mail().code)).status_code == 200


async def test_a_session_cookie_or_token_made_with_an_older_key_is_none() -> None:
    (site,) = processes([OLD, NEW], bearer=True)
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    opened = site.keeper._keyring.open("session", str(jo.cookie()), size=48)
    assert opened is not None
    (old,) = processes([OLD])
    forged = old.keeper._keyring.seal("session", opened.payload)
    assert await site.browser(cookies={jo.cookie_name(): forged}).who() is None
    token = "pws_" + old.keeper._keyring.seal("token", opened.payload)
    assert await site.browser(headers={"authorization": f"Bearer {token}"}).who() is None
    assert await jo.who() == "jo@example.com"


async def test_a_login_id_made_with_an_older_key_is_none() -> None:
    (site,) = processes([OLD, NEW], factor=True)
    jo = site.browser()
    await jo.ask("jo@example.com")
    await jo.type_code(site.mail().code)
    login_id = site.passwordless.cookies.pending(cookie_header(jo))
    realm = keyring_of(site).realm
    opened = Keyring(NEW, realm=realm).derive("pending").open("pending", str(login_id), size=28)
    assert opened is not None
    (old,) = processes([OLD])
    forged = Keyring(OLD, realm=realm).derive("pending").seal("pending", opened.payload)
    cookie = keyring_of(old).seal("step", forged.encode())
    thief = site.browser(cookies={jo.cookie_name("pending"): cookie})
    assert (await thief.post("/auth/step/secret", {"secret": RIGHT})).status_code == 410
    assert (await jo.post("/auth/step/secret", {"secret": RIGHT})).status_code == 303


# --- the routine rotation, and the leaked key -----------------------------------------------------


@pytest.mark.parametrize("by", ["code", "link"])
async def test_a_rotation_signs_nobody_out_and_breaks_no_login_under_way(by: str) -> None:
    """`[OLD]`, then `[NEW, OLD]`, then `[OLD, NEW]`: each pair runs side by side for a while."""
    steps = processes([OLD], [NEW, OLD], [OLD, NEW])
    for before, after in ((steps[0], steps[1]), (steps[1], steps[2])):
        for here, there in ((before, after), (after, before)):
            jo = here.browser()
            await jo.sign_in("jo@example.com")
            assert await moved(jo, there).who() == "jo@example.com"
            await jo.ask("kim@example.com")
            kim = moved(jo, there)
            assert (await kim.post("/auth/resend", {})).status_code == 303
            mail = there.mail("kim@example.com")
            done = await (kim.type_code(mail.code) if by == "code" else kim.press_link(mail.link))
            assert done.status_code == 303
            assert await moved(kim, here).who() == "kim@example.com"


async def test_a_session_that_lives_through_a_rotation_is_seen_and_ended_as_before() -> None:
    before, after = processes([OLD], [OLD, NEW])
    jo = before.browser()
    await jo.sign_in("jo@example.com")
    there = moved(jo, after)
    for _ in range(20):
        after.clock.advance(5 * 86400 // 4)  # each time long enough to be written down
        assert await there.who() == "jo@example.com"
    page = await there.get("/auth/sessions")
    assert page.text.count("This one") <= 1
    assert (await there.post("/auth/sessions/revoke", {"all": "1"})).status_code in (200, 303)
    assert await there.who() is None
    assert await moved(jo, before).who() is None


async def test_a_new_generation_begins_under_the_current_key_with_all_its_handles() -> None:
    before, after = processes([OLD], [OLD, NEW])
    jo = before.browser()
    await jo.ask("jo@example.com")
    request_id = (await before.backend().send("kim@example.com")).json()["auth_request_id"]
    before.clock.advance(301)
    there, backend = moved(jo, after), after.backend()
    assert (await there.post("/auth/resend", {})).status_code == 303
    jos = after.mail("jo@example.com")
    again = (await backend.resend(request_id)).json()["auth_request_id"]
    kims = after.mail("kim@example.com")
    rid_of = keyring_of(after).open("request", again, size=32)
    assert rid_of is not None
    assert rid_of.key_id == keyring_of(after).current
    assert (await backend.verify(again, code=kims.code)).status_code == 200
    assert (await there.type_code(jos.code)).status_code == 303


async def test_after_a_leak_the_new_key_alone_ends_everything_that_the_old_one_made() -> None:
    """The guide, "When the key has leaked"."""
    leaked, site = processes([OLD], [NEW], bearer=True, factor=True)
    jo, kim = leaked.browser(), leaked.browser()
    await jo.ask("jo@example.com")
    await jo.type_code(leaked.mail().code)
    login_id = str(jo.cookie("pending"))
    await jo.post("/auth/step/secret", {"secret": RIGHT})
    assert await jo.who() == "jo@example.com"
    await kim.ask("kim@example.com")
    mail = leaked.mail("kim@example.com")
    sent = (await leaked.backend().send("lee@example.com")).json()["auth_request_id"]
    code = leaked.mail("lee@example.com").code

    assert await moved(jo, site).who() is None
    assert (await moved(kim, site).type_code(mail.code)).status_code == 410
    assert (await moved(kim, site).press_link(mail.link)).status_code == 410
    assert (await site.backend().verify(sent, code=code)).status_code == 410
    assert (await site.backend().resend(sent)).status_code == 410
    step = site.browser(cookies={jo.cookie_name("pending"): login_id})
    assert (await step.post("/auth/step/secret", {"secret": RIGHT})).status_code == 410
    # and everybody can sign in again at once, also who had a session
    jo = site.browser()
    await jo.ask("jo@example.com")
    await jo.type_code(site.mail("jo@example.com").code)
    await jo.post("/auth/step/secret", {"secret": RIGHT})
    assert await jo.who() == "jo@example.com"

"""Key and store are two locks: neither alone signs anybody in (security rules 13 and 21).

Here somebody writes to the store whatever they like, but lacks the key; or has the key, and every
handle, queue entry and log line, but cannot read the store.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.challenges.challenge import ID_BYTES
from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.keys.keyring import MAC_BYTES
from pwless_middleware.core.logins.session import SECRET_BYTES
from pwless_middleware.core.storage.store_keys import user_slot
from pwless_middleware.delivery.base import Message
from pwless_middleware.stores.base import Writes
from pwless_middleware.stores.memory import MemoryStore
from tests.security.factor import RIGHT, Factor
from tests.support import ROOMY, Browser, Site, challenge_of, make_site

pytestmark = pytest.mark.anyio
EVE, JO = "eve@example.com", "jou@example.com"  # of one length, so that bytes can be swapped


def records(site: Site) -> dict[str, bytes]:
    """Read everything that stands in the store."""
    assert isinstance(site.store, MemoryStore)
    return {key: put.value for key, put in site.store._records.items()}


def overwrite(site: Site, key: str, value: bytes) -> None:
    """Write to the store as somebody who has its password."""
    assert isinstance(site.store, MemoryStore)
    site.store._records[key] = replace(site.store._records[key], value=value)
    site.forget_sessions()  # no process holds an older one


async def session_of(site: Site, email: str) -> tuple[Browser, str]:
    """Sign in; give the browser and the key of its session."""
    before = records(site)
    browser = site.browser()
    await browser.sign_in(email)
    (key,) = [key for key in records(site).keys() - before.keys() if "}s" in key]
    return browser, key


# --- the store alone -----------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["code", "link"])
async def test_another_address_in_ones_own_challenge_proves_nothing(by: str) -> None:
    site = make_site(roomy=True)
    eve = site.browser()
    await eve.ask(EVE)
    mail = site.mail()
    ((key, value),) = records(site).items()
    assert EVE.encode() in value
    overwrite(site, key, value.replace(EVE.encode(), JO.encode()))
    done = await (eve.type_code(mail.code) if by == "code" else eve.press_link(mail.link))
    assert done.status_code == 410
    assert await eve.who() is None
    assert (await eve.post("/auth/resend", {})).status_code == 410
    assert site.outbox.latest(JO) is None, "and no mail goes there"


async def test_another_address_or_user_in_ones_own_session_is_nobody() -> None:
    site = make_site(roomy=True)
    eve, key = await session_of(site, EVE)
    value = records(site)[key]
    mac, fields = value[:MAC_BYTES], json.loads(value[MAC_BYTES:])
    for at, text in (
        (1, "another-user"),
        (2, JO),
        (6, fields[6] + 9),
        (7, [["passkey", 1, [], True]]),
    ):
        changed = [*fields[:at], text, *fields[at + 1 :]]
        overwrite(site, key, mac + json.dumps(changed).encode())
        assert await eve.who() is None
    overwrite(site, key, value)
    assert await eve.who() == EVE


async def test_a_record_in_another_records_place_is_nobody() -> None:
    """Sessions, challenges and pending logins, each in the place of one's own."""
    site = make_site(roomy=True)
    (jo, jos), (eve, eves) = await session_of(site, JO), await session_of(site, EVE)
    there = records(site)
    overwrite(site, eves, there[jos])
    assert await eve.who() is None
    overwrite(site, eves, there[eves])
    assert await eve.who() == EVE
    assert await jo.who() == JO

    jo, eve = site.browser(), site.browser()
    await eve.ask(EVE)
    (eves,) = records(site).keys() - there.keys()
    code = site.mail(EVE).code
    await jo.ask(JO)
    (jos,) = records(site).keys() - there.keys() - {eves}
    overwrite(site, eves, records(site)[jos])
    assert (await eve.type_code(code)).status_code == 410
    assert (await jo.type_code(site.mail(JO).code)).status_code == 303


async def test_a_pending_login_of_somebody_else_in_ones_own_place_is_none() -> None:
    site = make_site(features=[EmailLogin(send_limits=ROOMY), Factor()])
    jo, eve = await waiting(site, JO), await waiting(site, EVE)
    first, second = site.pending
    of = {("jo" if JO.encode() in records(site)[key] else "eve"): key for key in (first, second)}
    mine = records(site)[of["eve"]]
    for value in (records(site)[of["jo"]], mine.replace(EVE.encode(), JO.encode())):
        overwrite(site, of["eve"], value)
        assert (await eve.post("/auth/step/secret", {"secret": RIGHT})).status_code == 410
    assert (await jo.post("/auth/step/secret", {"secret": RIGHT})).status_code == 303
    assert site.sessions == 1


async def waiting(site: Site, email: str) -> Browser:
    """Return a browser whose login waits for its step."""
    browser = site.browser()
    await browser.ask(email)
    assert (await browser.type_code(site.mail(email).code)).status_code == 303
    return browser


async def test_what_was_written_beside_a_persons_sessions_is_neither_shown_nor_in_the_way() -> None:
    site = make_site(roomy=True)
    jo, _ = await session_of(site, JO)
    other, key = await session_of(site, JO)
    overwrite(site, key, b"garbage")
    assert await other.who() is None
    sessions = (await jo.get("/auth/api/v1/sessions")).json()["sessions"]
    assert len(sessions) == 1
    user = (await jo.get("/private")).json()["id"]
    assert await site.passwordless.sessions.revoke_others(user, keep=sessions[0]["id"]) == 1
    assert key not in records(site)
    overwrite(site, next(k for k in records(site) if "}s" in k), b"garbage")
    assert await site.passwordless.sessions.revoke_all(user) == 1
    assert site.sessions == 0


async def test_another_persons_session_written_into_ones_own_list_is_not_shown() -> None:
    site = make_site(roomy=True)
    eve, own = await session_of(site, EVE)
    _, theirs = await session_of(site, JO)
    assert isinstance(site.store, MemoryStore)
    put = site.store._records[theirs]
    listed = site.store._records[own].listed
    both = Writes(puts=(replace(put, listed=listed),))
    await site.store.write(both, now=site.clock(), op="x")
    sessions = (await eve.get("/auth/api/v1/sessions")).json()["sessions"]
    assert [each["current"] for each in sessions] == [True]


async def test_a_session_that_is_held_asks_for_no_record_whatever_stands_there() -> None:
    """One record that is changed ends that session as it is read again, and no other."""
    site = make_site(roomy=True)
    (jo, jos), (eve, _) = await session_of(site, JO), await session_of(site, EVE)
    assert (await jo.who(), await eve.who()) == (JO, EVE)
    overwrite(site, jos, b"garbage")
    assert (await jo.who(), await eve.who()) == (None, EVE)


# --- the key alone -------------------------------------------------------------------------------


async def test_the_salt_of_a_challenge_stays_in_its_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without it code and link cannot be computed (`tests/core/keys/test_keyring.py`)."""

    class Post:
        async def send(self, message: Message) -> None:
            mails.append(message.text + message.html)

    mails: list[str] = []
    site = make_site(roomy=True, mailer=Post())
    site.passwordless.lifetime.start = lambda: None  # type: ignore[method-assign]
    keyring = site.passwordless.cookies._keyring
    jo = site.browser()
    with caplog.at_level(logging.DEBUG):
        await jo.ask(JO)
        challenge = challenge_of(site)
        (job,) = await site.store.jobs.claim(now=site.clock.now, limit=9)
        await site.store.jobs.retry(job, at=site.clock.now)
        await site.passwordless.deliveries.run_due()
        page = await jo.get("/auth/verify")
    token = keyring.link_token(challenge)
    assert token in mails[0]
    flow = keyring.open("flow", str(jo.cookie("flow")), size=ID_BYTES)
    link = keyring.open_link(token)
    assert flow is not None
    assert link is not None
    assert flow.payload == challenge.id, "a handle holds the id alone"
    seen = [job.payload, flow.payload, link.secret, challenge.id, page.content]
    seen += [repr(vars(record)).encode() for record in caplog.records]
    for text in seen:
        assert challenge.salt not in text
        assert repr(challenge.salt).encode() not in text
    assert repr(challenge.salt) not in repr(challenge)


async def test_a_resend_keeps_the_salt_so_that_the_same_code_goes_out_again() -> None:
    site = make_site(roomy=True)
    jo = site.browser()
    await jo.ask(JO)
    before, code = challenge_of(site), site.mail().code
    await jo.post("/auth/resend", {})
    again = challenge_of(site)
    assert (again.resends, again.salt) == (1, before.salt)
    assert site.mail().code == code
    await site.browser().ask(EVE)
    salts = {put[MAC_BYTES + 1 :][:16] for put in records(site).values()}
    assert len(salts) == 2, "each challenge has its own"


async def test_the_session_cookie_holds_no_digest_of_the_person() -> None:
    """The record's place begins with one; in the cookie it is masked."""
    site = make_site()
    sent = await site.passwordless.send(JO)
    done = await site.passwordless.verify(
        auth_request_id=sent.auth_request_id, code=site.mail().code
    )
    slot = user_slot(site.keeper._keyring.realm, done.user.id)
    cookie = done.set_cookie.partition("=")[2].partition(";")[0]
    for text in (cookie, done.session_token.removeprefix("pws_")):
        data = unb64(text) or b""
        assert len(data) == MAC_BYTES + SECRET_BYTES
        assert slot not in data


async def test_a_record_that_the_store_keeps_for_too_long_ends_all_the_same() -> None:
    """How long it stands is the store's word; how long it holds stands in the record."""
    site = make_site(roomy=True)
    jo, key = await session_of(site, JO)
    user = (await jo.get("/private")).json()["id"]
    assert isinstance(site.store, MemoryStore)
    site.store._records[key] = replace(site.store._records[key], until=2**32 - 1)
    site.clock.advance(8 * 86400)
    assert await jo.who() is None
    assert list(await site.passwordless.sessions.list(user)) == []

"""Key and store are two locks: neither alone signs anybody in.

Here somebody writes to the store whatever they like, but lacks the key; or has the key, and every
handle, queue entry and log line, but cannot read the store.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.addresses import Address
from pwless_middleware.core.authentication import Authentication, Login
from pwless_middleware.core.challenges import ID_BYTES
from pwless_middleware.core.keyring import MAC_BYTES, unb64
from pwless_middleware.delivery.base import Message
from pwless_middleware.stores.base import Writes
from pwless_middleware.stores.memory import MemoryStore
from tests.security.factor import RIGHT, Factor
from tests.support import ROOMY, Browser, House, challenge_of, house

pytestmark = pytest.mark.anyio
EVE, JO = "eve@example.com", "jou@example.com"  # of one length, so that bytes can be swapped


def records(home: House) -> dict[str, bytes]:
    """Read everything that stands in the store."""
    assert isinstance(home.store, MemoryStore)
    return {key: put.value for key, put in home.store._records.items()}


def overwrite(home: House, key: str, value: bytes) -> None:
    """Write to the store as somebody who has its password."""
    assert isinstance(home.store, MemoryStore)
    home.store._records[key] = replace(home.store._records[key], value=value)
    home.passwordless.sessions._forget(None)  # no process holds an older one


async def session_of(home: House, email: str) -> tuple[Browser, str]:
    """Sign in; give the browser and the key of its session."""
    before = records(home)
    browser = home.browser()
    await browser.sign_in(email)
    (key,) = [key for key in records(home).keys() - before.keys() if "}s" in key]
    return browser, key


# --- the store alone -----------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["code", "link"])
async def test_another_address_in_ones_own_challenge_proves_nothing(by: str) -> None:
    home = house(roomy=True)
    eve = home.browser()
    await eve.ask(EVE)
    mail = home.mail()
    ((key, value),) = records(home).items()
    assert EVE.encode() in value
    overwrite(home, key, value.replace(EVE.encode(), JO.encode()))
    done = await (eve.type_code(mail.code) if by == "code" else eve.press_link(mail.link))
    assert done.status_code == 410
    assert await eve.who() is None
    assert (await eve.post("/auth/resend", {})).status_code == 410
    assert home.outbox.latest(JO) is None, "and no mail goes there"


async def test_another_address_or_user_in_ones_own_session_is_nobody() -> None:
    home = house(roomy=True)
    eve, key = await session_of(home, EVE)
    value = records(home)[key]
    mac, fields = value[:MAC_BYTES], json.loads(value[MAC_BYTES:])
    for at, text in ((1, "another-user"), (2, JO), (7, fields[7] + 9), (8, ["passkey"])):
        changed = [*fields[:at], text, *fields[at + 1 :]]
        overwrite(home, key, mac + json.dumps(changed).encode())
        assert await eve.who() is None
    overwrite(home, key, value)
    assert await eve.who() == EVE


async def test_a_record_in_another_records_place_is_nobody() -> None:
    """Sessions, challenges and pending logins, each in the place of one's own."""
    home = house(roomy=True)
    (jo, jos), (eve, eves) = await session_of(home, JO), await session_of(home, EVE)
    there = records(home)
    overwrite(home, eves, there[jos])
    assert await eve.who() is None
    overwrite(home, eves, there[eves])
    assert await eve.who() == EVE
    assert await jo.who() == JO

    jo, eve = home.browser(), home.browser()
    await eve.ask(EVE)
    (eves,) = records(home).keys() - there.keys()
    code = home.mail(EVE).code
    await jo.ask(JO)
    (jos,) = records(home).keys() - there.keys() - {eves}
    overwrite(home, eves, records(home)[jos])
    assert (await eve.type_code(code)).status_code == 410
    assert (await jo.type_code(home.mail(JO).code)).status_code == 303


async def test_a_pending_login_of_somebody_else_in_ones_own_place_is_none() -> None:
    home = house(features=[EmailLogin(send_limits=ROOMY), Factor()])
    jo, eve = await waiting(home, JO), await waiting(home, EVE)
    first, second = home.pending
    of = {("jo" if JO.encode() in records(home)[key] else "eve"): key for key in (first, second)}
    mine = records(home)[of["eve"]]
    for value in (records(home)[of["jo"]], mine.replace(EVE.encode(), JO.encode())):
        overwrite(home, of["eve"], value)
        assert (await eve.post("/auth/step/secret", {"secret": RIGHT})).status_code == 410
    assert (await jo.post("/auth/step/secret", {"secret": RIGHT})).status_code == 303
    assert home.sessions == 1


async def waiting(home: House, email: str) -> Browser:
    """Give a browser whose login waits for its step."""
    browser = home.browser()
    await browser.ask(email)
    assert (await browser.type_code(home.mail(email).code)).status_code == 303
    return browser


async def test_what_was_written_beside_a_persons_sessions_is_neither_shown_nor_in_the_way() -> None:
    home = house(roomy=True)
    jo, _ = await session_of(home, JO)
    other, key = await session_of(home, JO)
    overwrite(home, key, b"garbage")
    assert await other.who() is None
    sessions = (await jo.get("/auth/api/v1/sessions")).json()["sessions"]
    assert len(sessions) == 1
    user = (await jo.get("/private")).json()["id"]
    assert await home.passwordless.sessions.revoke_others(user, keep=sessions[0]["id"]) == 1
    assert key not in records(home)
    overwrite(home, next(k for k in records(home) if "}s" in k), b"garbage")
    assert await home.passwordless.sessions.revoke_all(user) == 1
    assert home.sessions == 0


async def test_another_persons_session_written_into_ones_own_list_is_not_shown() -> None:
    home = house(roomy=True)
    eve, own = await session_of(home, EVE)
    _, theirs = await session_of(home, JO)
    assert isinstance(home.store, MemoryStore)
    put = home.store._records[theirs]
    listed = home.store._records[own].listed
    both = Writes(puts=(replace(put, listed=listed),))
    await home.store.write(both, now=home.clock(), op="x")
    sessions = (await eve.get("/auth/api/v1/sessions")).json()["sessions"]
    assert [each["current"] for each in sessions] == [True]


async def test_a_session_that_is_held_asks_for_no_record_whatever_stands_there() -> None:
    """One record that is changed ends that session as it is read again, and no other."""
    home = house(roomy=True)
    (jo, jos), (eve, _) = await session_of(home, JO), await session_of(home, EVE)
    assert (await jo.who(), await eve.who()) == (JO, EVE)
    overwrite(home, jos, b"garbage")
    assert (await jo.who(), await eve.who()) == (None, EVE)


# --- the key alone -------------------------------------------------------------------------------


async def test_the_salt_of_a_challenge_stays_in_its_record(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without it code and link cannot be computed (`tests/core/test_keyring.py`)."""

    class Post:
        async def send(self, message: Message) -> None:
            mails.append(message.text + message.html)

    mails: list[str] = []
    home = house(roomy=True, mailer=Post())
    home.passwordless.lifetime.start = lambda: None  # type: ignore[method-assign]
    keyring = home.passwordless.cookies._keyring
    jo = home.browser()
    with caplog.at_level(logging.DEBUG):
        await jo.ask(JO)
        challenge = challenge_of(home)
        (job,) = await home.store.jobs.claim(now=home.clock.now, limit=9)
        await home.store.jobs.retry(job, at=home.clock.now)
        await home.passwordless.deliveries.run_due()
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
    home = house(roomy=True)
    jo = home.browser()
    await jo.ask(JO)
    before, code = challenge_of(home), home.mail().code
    await jo.post("/auth/resend", {})
    again = challenge_of(home)
    assert (again.resends, again.salt) == (1, before.salt)
    assert home.mail().code == code
    await home.browser().ask(EVE)
    salts = {put[MAC_BYTES + 1 :][:16] for put in records(home).values()}
    assert len(salts) == 2, "each challenge has its own"


def test_the_session_cookie_holds_no_digest_of_the_person() -> None:
    """The record's place begins with one; in the cookie it is masked."""
    home = house()
    sessions = home.passwordless.sessions
    login = Login("u1", Address(JO), False, (Authentication("email_code", 1),), "browser")
    secret, _, _ = sessions.mint(login, 1)
    slot = sessions.slot_of("u1")
    assert secret.endswith(slot)
    for text in (sessions.cookie_value(secret), sessions.token(secret).removeprefix("pws_")):
        data = unb64(text) or b""
        assert len(data) == MAC_BYTES + len(secret)
        assert slot not in data


async def test_a_record_that_the_store_keeps_for_too_long_ends_all_the_same() -> None:
    """How long it stands is the store's word; how long it holds stands in the record."""
    home = house(roomy=True)
    jo, key = await session_of(home, JO)
    user = (await jo.get("/private")).json()["id"]
    assert isinstance(home.store, MemoryStore)
    home.store._records[key] = replace(home.store._records[key], until=2**32 - 1)
    home.clock.advance(8 * 86400)
    assert await jo.who() is None
    assert list(await home.passwordless.sessions.list(user)) == []

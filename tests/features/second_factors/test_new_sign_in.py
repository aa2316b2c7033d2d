"""A login from a browser that is not known: the mail, and whoever tries something with its link.

Security rules 5, 22 and 46.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Passkeys, User
from pwless_middleware.features.second_factors.new_sign_in import LIFETIME, PATH
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import make_passkey
from tests.features.passkeys.people import sign_in as sign_in_by_passkey
from tests.features.second_factors.enrolled import (
    add_app,
    do_step,
    enroll,
    events_of,
    make_factor_site,
    prove_again,
    sign_in,
    user_id_of,
)
from tests.features.second_factors.people import (
    JO,
    KIM,
    STEP_API,
    App,
)
from tests.support import Browser, Site, said, token_of

pytestmark = pytest.mark.anyio

URL = f"/auth{PATH}"
FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path, trusted_days=30)


def count(site: Site) -> int:
    """Count the mails that tell of a new browser."""
    return sum("new browser" in mail.subject for mail in site.outbox.messages)


async def come_in(site: Site, app: App, email: str = JO) -> tuple[Browser, str]:
    """Sign in from a browser that is not known; gives it, and the link of the mail."""
    stranger = site.browser(headers=FIREFOX)
    await sign_in(stranger, app, email)
    link = site.mail(email).link
    assert link is not None
    return stranger, link


async def press(browser: Browser, link: str, **form: str) -> tuple[int, str]:
    """Open the link's page and press a button."""
    await browser.get(link)
    done = await browser.post(URL, {"link_token": token_of(link), **form})
    return done.status_code, said(done)


# --- whom it tells -------------------------------------------------------------------------------


async def test_a_browser_that_is_not_known_is_told_of(site: Site) -> None:
    _, app = await enroll(site)
    _, link = await come_in(site, app)
    mail = site.mail(JO)
    assert "new browser" in mail.subject
    assert "Firefox on Linux" in mail.text
    assert mail.code is None
    assert link.startswith("https://app.example.com/auth/account/second-factors/not-me?link_token=")


async def test_a_browser_that_is_known_is_not(site: Site) -> None:
    jo, app = await enroll(site)
    await sign_in(jo, app)
    stranger, _ = await come_in(site, app)
    told = count(site)
    await stranger.post("/auth/logout", {})
    await sign_in(stranger, app)
    assert count(site) == told == 1


async def test_a_browser_that_knows_somebody_else_is_told_of(site: Site) -> None:
    _, app = await enroll(site)
    kim = site.browser()
    await kim.sign_in(KIM)
    await sign_in(kim, app)
    assert count(site) == 1


async def test_a_login_by_the_mailbox_alone_is_not_told(site: Site) -> None:
    for _ in range(2):
        await site.browser().sign_in(JO)
    assert count(site) == 0


async def test_a_passkey_in_a_new_browser_is_told_of(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, Passkeys())
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    await make_passkey(jo, authenticator)
    assert (await sign_in_by_passkey(site.browser(), authenticator)).status_code == 200
    assert count(site) == 1
    assert (await sign_in_by_passkey(jo, authenticator)).status_code == 200
    assert count(site) == 1


async def test_a_new_user_s_first_login_is_not_told(tmp_path: Path) -> None:
    """Where one is required it ends in a factor: that the account is there is no news."""
    site = make_factor_site(tmp_path, mfa="required")
    jo = site.browser()
    await jo.sign_in(JO)
    login_id = (await jo.get(STEP_API)).json()["login_id"]
    body = {"login_id": login_id, "method": "totp"}
    begun = (await jo.request("POST", f"{STEP_API}/enroll", json=body)).json()
    body |= {"enrollment_id": begun["enrollment_id"]}
    body |= {"code": App(site, begun["secret"]).next_code()}
    assert (await jo.request("POST", STEP_API, json=body)).status_code == 200
    assert await jo.who() == JO
    assert count(site) == 0


class Table:
    """A table of the host, whose ids are longer than a link can hold."""

    async def find(self, email: str) -> User | None:
        return User(id="u" * 250, email=email)

    create = find

    async def load(self, user_id: str) -> User | None:
        return User(id=user_id, email=JO)


async def test_an_id_that_fits_no_link_is_told_without_one(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, users=Table())
    _, app = await enroll(site)
    await sign_in(site.browser(), app)
    assert count(site) == 1
    assert site.mail(JO).link is None
    assert "sign out" in site.mail(JO).text or "signed out" in site.mail(JO).text


async def test_a_fresh_proof_begins_no_session_and_is_not_told(site: Site) -> None:
    jo, app = await enroll(site)
    await prove_again(jo, app)
    assert count(site) == 0


async def test_nobody_is_told_where_that_is_off(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, new_browser_mail=False)
    _, app = await enroll(site)
    await sign_in(site.browser(), app)
    assert count(site) == 0


async def test_a_server_is_not_told_of_its_own_logins(site: Site) -> None:
    _, app = await enroll(site)
    server = site.backend()
    sent = (await server.send(JO)).json()["auth_request_id"]
    asked = (await server.verify(sent, code=site.mail(JO).code)).json()
    login_id = asked["details"][0]["login_id"]
    body = {"login_id": login_id, "method": "totp", "code": app.next_code()}
    done = await server.browser.request("POST", "/auth/api/v1/step", json=body)
    assert "session_token" in done.json()
    assert count(site) == 0


async def test_nobody_gets_in_unseen_while_no_mail_can_be_queued(site: Site) -> None:
    _, app = await enroll(site)
    stranger = site.browser()
    await stranger.sign_in(JO)
    site.store.jobs._most = 0  # type: ignore[attr-defined]  # the memory store's
    assert (await do_step(stranger, "totp", app.next_code())).status_code == 503
    assert await stranger.who() is None


# --- what its link does --------------------------------------------------------------------------


async def test_it_ends_that_session_and_no_other(site: Site) -> None:
    jo, app = await enroll(site)
    stranger, link = await come_in(site, app)
    status, page = await press(site.browser(), link)
    assert (status, "That browser is signed out" in page) == (200, True)
    assert (await stranger.who(), await jo.who()) == (None, JO)
    stranger, link = await come_in(site, app)
    await press(jo, link)
    assert (await stranger.who(), await jo.who()) == (None, JO)
    event, _ = events_of(site, "login.disowned")
    assert event.user_id == await user_id_of(jo)


async def test_the_browser_in_which_it_ends_the_session_keeps_no_page_for_back(site: Site) -> None:
    jo, app = await enroll(site)
    for browser, is_its_own in ((jo, False), (None, True)):
        stranger, link = await come_in(site, app)
        presses = browser or stranger
        done = await presses.post(URL, {"link_token": token_of(link)})
        assert ("clear-site-data" in done.headers, presses.cookie() is None) == (is_its_own,) * 2


async def test_it_ends_all_where_that_session_was_followed_by_another(site: Site) -> None:
    """Of a second login in the same browser no mail tells: that of the first one ends it too."""
    jo, app = await enroll(site)
    stranger, link = await come_in(site, app)
    await sign_in(stranger, app)
    assert count(site) == 1
    status, page = await press(site.browser(), link)
    assert (status, "Everybody is signed out" in page) == (200, True)
    assert [await stranger.who(), await jo.who()] == [None, None]


async def test_it_ends_all_sessions_where_that_is_wanted(site: Site) -> None:
    jo, app = await enroll(site)
    stranger, link = await come_in(site, app)
    waiting = site.browser()
    await waiting.sign_in(JO)
    status, page = await press(site.browser(), link, all="yes")
    assert (status, "Everybody is signed out" in page) == (200, True)
    assert (await stranger.who(), await jo.who(), site.pending) == (None, None, [])


async def test_no_browser_is_trusted_any_more(site: Site) -> None:
    jo, app = await enroll(site)
    stranger, link = await come_in(site, app)
    trusted = await stranger.request("POST", "/auth/api/v1/factors/trusted-browsers")
    assert trusted.status_code == 204
    await press(site.browser(), link)
    again = await stranger.sign_in(JO)
    assert "/step/" in again.headers["location"]
    assert await stranger.who() is None
    assert (await jo.get("/auth/api/v1/factors/trusted-browsers")).json() == {
        "trusted_browsers": []
    }


async def test_a_session_that_was_renewed_since_is_still_that_session(site: Site) -> None:
    _, app = await enroll(site)
    stranger, link = await come_in(site, app)
    await prove_again(stranger, app)
    await press(site.browser(), link)
    assert await stranger.who() is None


async def test_whoever_presses_it_in_that_very_browser_is_signed_out_there(site: Site) -> None:
    _, app = await enroll(site)
    stranger, link = await come_in(site, app)
    await press(stranger, link)
    assert stranger.cookie() is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_opening_it_changes_nothing(site: Site, method: str) -> None:
    _, app = await enroll(site)
    stranger, link = await come_in(site, app)
    before = site.snapshot()
    for _ in range(3):
        opened = await site.browser().request(method, link)
        assert opened.status_code == 200
    assert site.snapshot() == before
    assert await stranger.who() == JO
    assert events_of(site, "login.disowned", "browser.distrusted") == []


async def test_the_page_says_when_and_from_which_browser(site: Site) -> None:
    _, app = await enroll(site)
    stranger, link = await come_in(site, app)
    await stranger.post("/auth/logout", {})
    page = said(await site.browser().get(link))
    assert "Firefox on Linux" in page
    assert "15 January 2027" in page
    assert JO not in page


async def test_it_works_once(site: Site) -> None:
    jo, app = await enroll(site)
    _, link = await come_in(site, app)
    await press(site.browser(), link)
    assert (await press(site.browser(), link, all="yes"))[0] == 410
    assert (await site.browser().get(link)).status_code == 410
    assert await jo.who() == JO


async def test_it_works_for_a_week(site: Site) -> None:
    _, app = await enroll(site)
    _, link = await come_in(site, app)
    begun = site.clock.now
    site.clock.now = begun + LIFETIME - 1
    assert (await site.browser().get(link)).status_code == 200
    site.clock.now = begun + LIFETIME
    assert (await press(site.browser(), link))[0] == 410


async def test_another_site_cannot_press_it(site: Site) -> None:
    _, app = await enroll(site)
    stranger, link = await come_in(site, app)
    foreign = {"origin": "https://evil.example"}
    done = await site.browser().post(URL, {"link_token": token_of(link)}, headers=foreign)
    assert done.status_code == 403
    assert await stranger.who() == JO


async def test_of_a_person_who_is_gone_it_tells_nothing(site: Site) -> None:
    jo, app = await enroll(site)
    _, link = await come_in(site, app)
    await site.passwordless.people.delete(await user_id_of(jo), by="python")
    opened = await site.browser().get(link)
    assert (opened.status_code, "Firefox" in opened.text) == (410, False)
    assert (await press(site.browser(), link))[0] == 410


async def test_what_is_no_link_of_ours_ends_nothing(tmp_path: Path) -> None:
    """Changed, cut, another's secret, or made for another purpose."""
    site = make_factor_site(tmp_path, reset_wait=3600)
    jo, app = await enroll(site)
    stranger, link = await come_in(site, app)
    token = token_of(link)
    server = site.backend().browser
    await server.request("DELETE", f"/auth/api/v1/users/{await user_id_of(jo)}/factors")
    objection = token_of(site.mail(JO).link)
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for forged in ("", "x", token[:-4], token + "A", flipped, objection, "é", "A" * 5000):
        done = await site.browser().post(URL, {"link_token": forged, "all": "yes"})
        assert done.status_code == 410, forged
    assert (await stranger.who(), await jo.who()) == (JO, JO)


async def test_it_is_one_person_s_alone(site: Site) -> None:
    """Kim, signed in, presses Jo's link: it is Jo's session that ends, and Kim stays."""
    _, app = await enroll(site)
    kim = site.browser()
    await kim.sign_in(KIM)
    await add_app(kim)
    stranger, link = await come_in(site, app)
    await press(kim, link, all="yes")
    assert (await stranger.who(), await kim.who()) == (None, KIM)

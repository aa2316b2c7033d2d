"""Where a second factor is asked for: everywhere, whatever came first (security rule 40)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin, MemoryStore, Passkeys, User
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.errors import LoginDenied, StepRequired, StoreError
from pwless_middleware.features.second_factors import SecondFactors
from tests.features.passkeys.authenticator import BE, BS, UP, Authenticator
from tests.features.passkeys.people import make_passkey
from tests.features.passkeys.people import sign_in as sign_in_by_passkey
from tests.features.second_factors.people import (
    JO,
    STEP_API,
    App,
    by_mail,
    confirm_by_mail,
    do_step,
    enroll,
    id_of,
    make_factor_site,
    sign_in,
    verbs_of,
    wait_for_step,
)
from tests.own_account import change
from tests.support import (
    API_KEY,
    BASE,
    ROOMY,
    Browser,
    Site,
    Slow,
    cookie_header,
    error_code,
    our_paths,
    run,
    socket_scope,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_factor_site(tmp_path)


def with_passkeys(folder: Path, *, second_factors: SecondFactors | None = None) -> Site:
    passkeys = Passkeys(user_verification="preferred")
    features = [EmailLogin(send_limits=ROOMY), second_factors or SecondFactors(), passkeys]
    return make_factor_site(folder, features=features)


async def is_asked(browser: Browser) -> bool:
    """Whether a login by mail is asked for a second factor."""
    return (await by_mail(browser)).status_code != 200


# --- every way in --------------------------------------------------------------------------------


async def test_a_code_a_link_and_a_server_are_asked_alike(site: Site) -> None:
    await enroll(site)
    by_code, by_link = site.browser(), site.browser()
    await by_code.ask(JO)
    assert (
        "/step/second-factor" in (await by_code.type_code(site.mail(JO).code)).headers["location"]
    )
    await by_link.ask(JO)
    pressed = await by_link.press_link(site.mail(JO).link)
    assert "/step/second-factor" in pressed.headers["location"]
    for browser in (by_code, by_link):
        assert browser.cookie() is None
        assert await browser.who() is None
    server = site.backend()
    sent = (await server.send(JO)).json()
    answer = await server.verify(sent["auth_request_id"], code=site.mail(JO).code)
    assert error_code(answer) == "STEP_REQUIRED"
    assert "session_token" not in answer.text
    passwordless = site.passwordless
    asked = await passwordless.send(JO)
    with pytest.raises(StepRequired):
        await passwordless.verify(auth_request_id=asked.auth_request_id, code=site.mail(JO).code)
    assert site.sessions == 0


async def test_a_session_without_is_asked_before_a_mail_renews_it(site: Site) -> None:
    """One that began before the person had a factor becomes no fresh one by the mailbox alone."""
    jo = site.browser()
    await jo.sign_in(JO)
    app = await enroll(site)
    answer = await confirm_by_mail(jo)
    assert "/step/second-factor" in answer.headers["location"]
    asked = (await jo.get(STEP_API)).json()
    assert (await do_step(jo, asked["login_id"], app.next_code())).status_code == 200
    assert site.sessions == 1


async def test_a_pending_login_opens_nothing_but_its_step(site: Site) -> None:
    """Security rule 48: no page of the app or the account, no API, no socket."""
    await enroll(site)
    jo = site.browser()
    asked = await wait_for_step(jo)
    theirs = ("/step/second", "/api/v1/step", "/static", "/api/v1/openapi")
    for path, route in our_paths(site.passwordless).items():
        if "GET" not in route.methods or path.startswith(theirs):
            continue
        answer = await jo.get(f"/auth{path}")
        assert JO not in answer.text, path
    for path in ("account", "sessions", "session", "account/export"):
        assert (await jo.get(f"/auth/api/v1/{path}")).status_code in (401, 404, 405), path
    token = {"authorization": f"Bearer {asked['login_id']}"}
    assert (await site.browser(headers=token).get("/auth/api/v1/session")).status_code == 401
    sent = await run(site.app, socket_scope(headers=cookie_header(jo)))
    assert sent[0]["type"] == "websocket.close"
    assert await jo.who() is None
    stranger = site.browser(headers={"authorization": f"Bearer {API_KEY}"})
    assert (await do_step(stranger, asked["login_id"], "123456")).status_code == 410


async def test_a_pending_login_is_not_transplanted_used_twice_or_kept(site: Site) -> None:
    app, jo = await enroll(site), site.browser()
    asked = await wait_for_step(jo)
    thief = site.browser(cookies=dict(jo.cookies), ip="198.51.100.9")
    thief.cookies.pop(thief.cookie_name("pending"))
    answer = await do_step(thief, asked["login_id"], app.next_code())
    assert error_code(answer) == "REQUEST_EXPIRED"
    assert (await do_step(jo, asked["login_id"], app.code())).status_code == 200
    assert error_code(await do_step(jo, asked["login_id"], app.next_code())) == "REQUEST_EXPIRED"
    asked = await wait_for_step(jo)
    site.clock.advance(600)
    assert error_code(await do_step(jo, asked["login_id"], app.code())) == "REQUEST_EXPIRED"


async def test_a_pending_login_ends_with_a_change_of_the_address(site: Site) -> None:
    app, jo, waiting = await enroll(site), site.browser(), site.browser()
    await sign_in(jo, app)
    asked = await wait_for_step(waiting)
    await change(jo)
    answer = await do_step(waiting, asked["login_id"], app.next_code())
    assert error_code(answer) == "REQUEST_EXPIRED"
    assert await waiting.who() is None


# --- passkeys ------------------------------------------------------------------------------------


async def test_a_passkey_that_has_checked_who_holds_it_counts_as_both(tmp_path: Path) -> None:
    site = with_passkeys(tmp_path)
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    assert (await make_passkey(jo, authenticator)).status_code == 201
    await enroll(site)
    later = site.browser()
    assert (await sign_in_by_passkey(later, authenticator)).status_code == 200
    assert await later.who() == JO


async def test_a_passkey_counts_as_a_second_factor(tmp_path: Path) -> None:
    site = with_passkeys(tmp_path)
    jo, authenticator = site.browser(), Authenticator()
    await jo.sign_in(JO)
    await make_passkey(jo, authenticator)
    later = site.browser()
    asked = await wait_for_step(later)
    assert asked["steps"] == ["passkey"]
    prompt = (await later.get(STEP_API)).json()["methods"][0]
    body = {
        "login_id": asked["login_id"],
        "method": "passkey",
        "ceremony_id": prompt["ceremony_id"],
        "credential": authenticator.get(prompt["options"], origin=BASE, flags=UP | BE | BS),
    }
    assert (await later.request("POST", STEP_API, json=body)).status_code == 200
    assert await later.who() == JO


async def test_of_several_the_best_is_asked_for_first(tmp_path: Path) -> None:
    site = with_passkeys(tmp_path)
    jo = site.browser()
    await jo.sign_in(JO)
    await make_passkey(jo, Authenticator())
    await enroll(site)
    await verbs_of(site).make_recovery_codes(await id_of(site))
    asked = await wait_for_step(site.browser())
    assert asked["step_methods"] == [["passkey", "totp", "recovery_code"]]


def a_login(user_id: str, *methods: str) -> Login:
    given = tuple(Authentication(method, 1_767_225_600) for method in methods)
    return Login(user_id=user_id, email=JO, is_new=False, authentications=given, caller="browser")


async def test_what_a_login_was_begun_by_is_not_its_second_factor_as_well(tmp_path: Path) -> None:
    """A passkey that nobody's finger or PIN has opened is one factor, whichever place it takes."""
    site = with_passkeys(tmp_path)
    jo = site.browser()
    await jo.sign_in(JO)
    await make_passkey(jo, Authenticator())
    user_id, rule = await id_of(site), verbs_of(site)._flow.rule
    with pytest.raises(LoginDenied):
        await rule(a_login(user_id, "passkey"))
    await enroll(site)
    step = await rule(a_login(user_id, "passkey"))
    assert step is not None
    assert step.methods == ("totp",)


async def test_whoever_has_a_phone_number_left_is_asked_for_it(site: Site) -> None:
    """Also where no gateway sends to it any more: then nobody is let in without."""
    user_id = await id_of(site)
    phone = Factor(id="p" * 22, user_id=user_id, kind="sms", phone="+4915112345678", created_at=1)
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    assert await repositories.factors.add(phone, most=10, may_be_alone=True) == "added"
    asked = await wait_for_step(site.browser())
    assert asked["steps"] == ["sms"]


# --- what is set ---------------------------------------------------------------------------------


async def test_off_optional_and_required_hold_as_soon_as_they_are_set(site: Site) -> None:
    settings = site.passwordless.settings
    app = await enroll(site)
    assert await is_asked(site.browser())
    await settings.set({"second_factors.mfa": "off"}, by="operator:u-1")
    assert not await is_asked(site.browser())
    await settings.set({"second_factors.mfa": "required"}, by="operator:u-1")
    assert await is_asked(site.browser())
    kim = site.browser()
    assert (await wait_for_step(kim, "kim@example.com"))["steps"] == ["totp"]
    assert (await kim.get(STEP_API)).json()["enrolls"] is True
    await settings.set({"second_factors.mfa": "optional"}, by="operator:u-1")
    assert (await by_mail(site.browser(), "kim@example.com")).status_code == 200
    assert (await sign_in(site.browser(), app)).status_code == 200


async def test_who_has_none_is_not_asked_before_the_day(tmp_path: Path) -> None:
    begins = datetime(2026, 1, 1, 12, tzinfo=UTC).date()
    factors = SecondFactors(mfa="required", required_from=begins)
    site = make_factor_site(tmp_path, second_factors=factors)
    site.clock.now = int(datetime(2025, 12, 31, 23, 59, 0, tzinfo=UTC).timestamp())
    assert not await is_asked(site.browser())
    site.clock.advance(60)
    assert await is_asked(site.browser())


async def test_where_nothing_can_be_added_nobody_gets_in_without(tmp_path: Path) -> None:
    site = make_factor_site(tmp_path, second_factors=SecondFactors(totp=False))
    await site.passwordless.settings.set({"second_factors.mfa": "required"}, by="python")
    answer = await by_mail(site.browser())
    assert error_code(answer) == "LOGIN_DENIED"
    assert site.sessions == 0


async def test_who_has_an_app_is_asked_where_none_can_be_added_any_more(tmp_path: Path) -> None:
    app = await enroll(make_factor_site(tmp_path))
    site = make_factor_site(tmp_path, second_factors=SecondFactors(totp=False))
    app._site = site
    assert (await sign_in(site.browser(), app)).status_code == 200


# --- what is down --------------------------------------------------------------------------------


def rename_table(folder: Path, old: str, new: str) -> None:
    with closing(sqlite3.connect(folder / "pwless.db")) as database:
        database.execute(f"ALTER TABLE {old} RENAME TO {new}")
        database.commit()


async def test_with_the_database_down_nobody_is_let_in(site: Site, tmp_path: Path) -> None:
    app, jo = await enroll(site), site.browser()
    asked = await wait_for_step(jo)
    rename_table(tmp_path, "pwless_factors", "gone")
    assert (await by_mail(site.browser())).status_code == 503
    assert (await do_step(jo, asked["login_id"], app.next_code())).status_code == 503
    rename_table(tmp_path, "gone", "pwless_factors")
    assert site.sessions == 0
    assert (await do_step(jo, asked["login_id"], app.next_code())).status_code == 200


@pytest.mark.parametrize("verb", ["read", "attempt", "admit", "take"])
async def test_with_the_store_down_nobody_is_let_in(tmp_path: Path, verb: str) -> None:
    store = Slow(MemoryStore())
    site = make_factor_site(tmp_path, store=store)
    app, jo = await enroll(site), site.browser()
    asked = await wait_for_step(jo)

    async def fail() -> None:
        raise StoreError

    store.before[verb] = fail
    assert (await do_step(jo, asked["login_id"], app.next_code())).status_code == 503
    assert jo.cookie() is None
    del store.before[verb]
    assert await jo.who() is None
    assert (await do_step(jo, asked["login_id"], app.next_code())).status_code == 200


# --- a table of the host's -----------------------------------------------------------------------


async def test_factors_hang_on_the_ids_of_a_hosts_own_table(tmp_path: Path) -> None:
    users = {JO: User("42", JO)}

    class Table:
        async def find(self, email: str) -> User | None:
            return users.get(email)

        async def create(self, email: str) -> User | None:
            return None

        async def load(self, user_id: str) -> User | None:
            return next((user for user in users.values() if user.id == user_id), None)

    site = make_factor_site(tmp_path, users=Table())
    begun = await verbs_of(site).begin_totp("42")
    app = App(site, begun.secret)
    await verbs_of(site).confirm_totp("42", enrollment_id=begun.enrollment_id, code=app.code())
    assert (await sign_in(site.browser(), app)).status_code == 200
    asked = await wait_for_step(site.browser())
    assert asked["steps"] == ["totp"]

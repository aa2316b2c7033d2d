"""From an address to the company's login; and no way around one that is required.

Security rules 14, 54 and 55.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from pwless_middleware import SecondFactors
from pwless_middleware.core import paths
from tests.features.second_factors.people import App, do_step, enroll, id_of, wait_for_step
from tests.features.sso.sites import NAVIGATION, SSOSite, query_of
from tests.identity_providers.own_oidc import OwnProvider
from tests.support import error_code, led_to, said

pytestmark = pytest.mark.anyio

ENTER_PATH = "/auth" + paths.ENTER_PATH
JO, BOSS, STRAY = "jo@acme.example", "boss@acme.example", "kim@elsewhere.example"


@pytest.fixture
async def acme(provider: OwnProvider, tmp_path: Path) -> SSOSite:
    """Acme, with second factors besides."""
    features = (SecondFactors(trusted_days=30),)
    return await SSOSite.make(tmp_path, provider.config(), features=features)


async def require(acme: SSOSite) -> App:
    """Have Acme require its login; return the app of who may do without."""
    app = await enroll(acme.site, BOSS)
    await acme.floor.members.put(acme.organization.id, await id_of(acme.site, BOSS))
    await acme.floor.connections.mark_tested(acme.connection.id)
    await acme.set_policy(sso="required", break_glass=frozenset([BOSS]))
    return app


async def test_an_address_of_the_domain_leads_to_the_login_that_is_required(
    acme: SSOSite, provider: OwnProvider
) -> None:
    await require(acme)
    jo = acme.site.browser()
    asked = await jo.ask(JO, next="/reports?year=2026")
    path = urlsplit(led_to(asked)).path
    assert path == "/auth/sso/start"
    assert "jo@" not in unquote(led_to(asked))  # no address stands in a URL of ours
    start = await jo.get(led_to(asked), headers={**NAVIGATION, "sec-fetch-site": "same-origin"})
    sent = query_of(start.headers["location"])
    assert sent["login_hint"] == JO
    assert led_to(await acme.answer(jo, provider, sent)) == "/reports?year=2026"
    assert acme.site.outbox.latest(JO) is None


@pytest.mark.parametrize("email", [STRAY, "jo@sub.acme.example", "jo@notacme.example"])
async def test_other_addresses_get_their_mail(acme: SSOSite, email: str) -> None:
    await require(acme)
    assert led_to(await acme.site.browser().ask(email)) == "/auth/verify"


async def test_known_and_unknown_addresses_are_answered_alike(acme: SSOSite) -> None:
    await require(acme)
    answers = []
    for email in (JO, BOSS, "nobody@acme.example"):
        answer = await acme.site.browser().ask(email)
        query = parse_qs(urlsplit(led_to(answer)).query)
        answers.append((answer.status_code, sorted(query), len(query["hint"][0])))
    assert len(set(map(str, answers))) == 1


async def test_programs_are_told_where_it_is_done(acme: SSOSite) -> None:
    await require(acme)
    for caller in (acme.site.browser(), acme.site.backend().browser):
        answer = await caller.call("send", {"email": JO})
        assert (answer.status_code, error_code(answer)) == (403, "LOGIN_ELSEWHERE")
        url = answer.json()["details"][0]["login_url"]
        assert url.startswith("https://app.example.com/auth/sso/start?organization=")


async def test_a_login_that_is_allowed_is_a_button_beside_the_mail(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo = acme.site.browser()
    assert led_to(await jo.ask(JO, next="/in")) == "/auth/verify"
    page = await jo.get("/auth/verify")
    assert "Continue with the login of Acme" in said(page)
    path = page.text.split('href="/auth/sso/start')[1].split('"')[0].replace("&amp;", "&")
    start = await jo.get(f"/auth/sso/start{path}", headers=NAVIGATION)
    sent = query_of(start.headers["location"])
    assert sent["login_hint"] == JO
    assert led_to(await acme.answer(jo, provider, sent)) == "/in"
    stray = acme.site.browser()
    await stray.ask(STRAY)
    assert "login of Acme" not in said(await stray.get("/auth/verify"))


@pytest.mark.parametrize("how", ["off", "disabled"])
async def test_a_login_that_is_off_is_no_button(acme: SSOSite, how: str) -> None:
    if how == "off":
        await acme.set_policy(sso="off")
    else:
        await acme.floor.connections.disable(acme.connection.id)
    jo = acme.site.browser()
    await jo.ask(JO)
    assert "login of Acme" not in said(await jo.get("/auth/verify"))


async def test_who_enters_an_organization_that_requires_its_login_is_led_there_too(
    acme: SSOSite,
) -> None:
    """A guest with an address of another domain."""
    await require(acme)
    form = {"email": STRAY, "organization": acme.organization.id}
    answer = await acme.site.browser().post("/auth/login", form)
    assert urlsplit(led_to(answer)).path == "/auth/sso/start"


# --- ways around it ------------------------------------------------------------------------------


async def test_a_code_that_was_asked_for_before_does_not_get_around_it(acme: SSOSite) -> None:
    jo, backend = acme.site.browser(), acme.site.backend()
    await jo.ask(JO)
    code = acme.site.mail(JO).code
    request = (await backend.send(JO)).json()["auth_request_id"]
    backend_code = acme.site.mail(JO).code
    await require(acme)
    typed = await jo.type_code(code)
    assert urlsplit(led_to(typed)).path == "/auth/sso/start"
    assert await jo.who() is None
    verified = await backend.verify(request, code=backend_code)
    assert (verified.status_code, error_code(verified)) == (403, "LOGIN_ELSEWHERE")
    assert acme.site.sessions == 0


async def test_a_step_that_waited_does_not_get_around_it(acme: SSOSite) -> None:
    app, jo = await enroll(acme.site, JO), acme.site.browser()
    waits = await wait_for_step(jo, JO)
    await require(acme)
    done = await do_step(jo, waits["login_id"], app.next_code())
    assert (done.status_code, error_code(done)) == (403, "LOGIN_ELSEWHERE")
    assert acme.site.sessions == 0


async def test_a_trusted_browser_and_a_recovery_code_do_not_get_around_it(acme: SSOSite) -> None:
    app, jo = await enroll(acme.site, JO), acme.site.browser()
    waits = await wait_for_step(jo, JO)
    trusted = await do_step(jo, waits["login_id"], app.next_code(), trust_browser=True)
    assert trusted.status_code == 200
    await jo.post("/auth/logout", {})
    sent = await jo.call("send", {"email": JO})
    code = acme.site.mail(JO).code
    await require(acme)
    request_id = sent.json()["auth_request_id"]
    answer = await jo.call("verify", {"auth_request_id": request_id, "code": code})
    assert (answer.status_code, error_code(answer)) == (403, "LOGIN_ELSEWHERE")


async def test_the_login_of_another_company_does_not_get_around_it(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """A member of two signs in by the one, and wants into the other."""
    await require(acme)
    other, theirs = await acme.add_organization("Other", "other.example", provider.config())
    await acme.floor.members.put(other.id, await id_of(acme.site, JO))
    acme_connection, acme.connection = acme.connection, theirs
    browser = acme.site.browser()
    provider.claims["email"] = "jo@other.example"
    await acme.sign_in(browser, provider)
    assert await browser.who() == "jo@other.example"
    await acme.floor.members.put(acme.organization.id, await id_of(acme.site, "jo@other.example"))
    switch = await browser.post(ENTER_PATH, {"organization": acme.organization.id})
    assert led_to(switch).startswith(f"/auth/sso/start?organization={acme.organization.id}")
    await browser.who()
    organization = acme.site.inner.scope["state"]["organization"]
    assert organization.id == other.id
    acme.connection = acme_connection


@pytest.mark.parametrize("how", ["forgotten", "moved", "sold"])
async def test_a_step_that_waited_does_not_lead_in_who_is_nobody_there_any_more(
    acme: SSOSite, provider: OwnProvider, how: str
) -> None:
    app, jo, floor = await enroll(acme.site, JO), acme.site.browser(), acme.floor
    assert led_to(await acme.sign_in(jo, provider)).startswith("/auth/step/")
    (identity,) = await floor.identities.list_of(acme.connection.id)
    if how == "forgotten":
        await floor.identities.remove(identity)
    elif how == "moved":
        config = {"issuer": "https://login.other.example", "client_id": "x"}
        await floor.connections.change(acme.connection.id, config=config)
    else:
        buyer = await floor.organizations.create("Buyer")
        await floor.domains.remove(acme.organization.id, "acme.example")
        await acme.own(buyer, "acme.example")
    waits = (await jo.request("GET", "/auth/api/v1/step")).json()
    done = await do_step(jo, waits["login_id"], app.next_code())
    assert (done.status_code, error_code(done)) == (403, "LOGIN_DENIED")
    assert acme.site.sessions == 0


async def test_who_has_come_since_a_policy_was_to_hold_at_once_is_held_to_no_later_one(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """Also who has proven it to the provider before that."""
    jo, clock = acme.site.browser(), acme.site.clock
    provider.claims["auth_time"] = clock()
    clock.advance(60)
    await acme.floor.organizations.apply_now(acme.organization.id)
    clock.advance(60)
    await acme.sign_in(jo, provider)
    await acme.set_policy(methods=frozenset(["passkey"]))
    assert await jo.who() == JO
    clock.advance(1)
    await acme.floor.organizations.apply_now(acme.organization.id)
    assert await jo.who() is None


# --- who may do without --------------------------------------------------------------------------


async def quiet_page(acme: SSOSite) -> str:
    """Return the form of the quiet page, as the start page links it."""
    browser = acme.site.browser()
    page = await browser.get(
        f"/auth/sso/start?organization={acme.organization.id}",
        headers={**NAVIGATION, "sec-fetch-site": "cross-site"},
    )
    assert "I can’t reach my company’s login" in said(page)
    link = page.text.split('href="/auth/sso/other-way')[1].split('"')[0].replace("&amp;", "&")
    quiet = await browser.get(f"/auth/sso/other-way{link}")
    assert quiet.status_code == 200
    assert 'name="break_glass"' in quiet.text
    return quiet.text


async def ask_without(acme: SSOSite, browser: object, email: str) -> tuple[int, str]:
    form = {"email": email, "organization": acme.organization.id, "break_glass": "1"}
    answer = await browser.post("/auth/login", form)  # type: ignore[attr-defined]
    return answer.status_code, led_to(answer)


async def test_who_is_named_signs_in_by_a_mail_and_a_second_factor_and_others_are_told(
    acme: SSOSite,
) -> None:
    app = await require(acme)
    second = await enroll(acme.site, "vice@acme.example")
    assert second
    await acme.set_policy(sso="required", break_glass=frozenset([BOSS, "vice@acme.example"]))
    await quiet_page(acme)
    boss = acme.site.browser()
    assert await ask_without(acme, boss, BOSS) == (303, "/auth/verify")
    typed = await boss.type_code(acme.site.mail(BOSS).code)
    assert led_to(typed).startswith("/auth/step/")
    assert await boss.who() is None
    waits = await boss.request("GET", "/auth/api/v1/step")
    assert waits.status_code == 200, waits.text
    done = await do_step(boss, waits.json()["login_id"], app.next_code())
    assert done.status_code == 200, done.text
    assert await boss.who() == BOSS
    (event,) = acme.events("sso.break_glass")
    assert event.organization == acme.organization.id
    told = acme.site.mail("vice@acme.example")
    assert BOSS in told.text
    assert "Acme" in told.text


async def test_others_are_answered_the_same_and_get_nothing(acme: SSOSite) -> None:
    await require(acme)
    answers = {}
    for email in (BOSS, JO, "nobody@acme.example"):
        browser = acme.site.browser()
        status, location = await ask_without(acme, browser, email)
        page = await browser.get(location)
        text = said(page).replace(email, "…")
        answers[email] = (status, location, page.status_code, text)
    assert len(set(answers.values())) == 1
    assert acme.site.outbox.latest(JO) is None
    assert acme.site.outbox.latest("nobody@acme.example") is None
    assert acme.site.outbox.latest(BOSS) is not None


async def test_trust_in_the_browser_does_not_count_for_the_way_out(acme: SSOSite) -> None:
    app, boss = await enroll(acme.site, BOSS), acme.site.browser()
    waits = await wait_for_step(boss, BOSS)
    done = await do_step(boss, waits["login_id"], app.next_code(), trust_browser=True)
    assert done.status_code == 200
    await boss.post("/auth/logout", {})
    await acme.floor.members.put(acme.organization.id, await id_of(acme.site, BOSS))
    await acme.floor.connections.mark_tested(acme.connection.id)
    await acme.set_policy(sso="required", break_glass=frozenset([BOSS]))
    await ask_without(acme, boss, BOSS)
    await boss.type_code(acme.site.mail(BOSS).code)
    assert await boss.who() is None


async def test_a_login_that_is_not_required_needs_no_way_out(acme: SSOSite) -> None:
    """The word in the form gives nothing that a mail would not give."""
    jo = acme.site.browser()
    assert (await ask_without(acme, jo, JO))[0] == 303
    assert acme.site.outbox.latest(JO) is not None
    await jo.type_code(acme.site.mail(JO).code)
    assert acme.events("sso.break_glass") == []

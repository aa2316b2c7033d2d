"""Prove once more who it is at the company's login, which has to ask anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import SSO, Organizations
from tests.features.sso.sites import SSOSite, query_of
from tests.identity_providers.own_oidc import OwnProvider
from tests.support import Browser, led_to, said

pytestmark = pytest.mark.anyio

PAGE = "/auth/step/up?within=300&next=/secret"


async def begin(acme: SSOSite, browser: Browser) -> dict[str, str]:
    """Press the button of the page that asks again."""
    page = await browser.get(PAGE)
    assert "Continue with your company’s login" in said(page)
    answer = await browser.post(PAGE, {"method": "sso"})
    assert answer.status_code == 303, answer.text
    return query_of(answer.headers["location"])


async def test_a_fresh_login_there_renews_the_session(acme: SSOSite, provider: OwnProvider) -> None:
    jo, clock = acme.site.browser(), acme.site.clock
    await acme.sign_in(jo, provider)
    clock.advance(600)
    old = jo.cookie()
    asked = await begin(acme, jo)
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    provider.claims |= {"iat": clock(), "exp": clock() + 300, "auth_time": clock()}
    assert led_to(await acme.answer(jo, provider, asked)) == "/secret"
    assert jo.cookie() != old
    assert led_to(await jo.get(PAGE)) == "/secret"  # fresh now
    assert acme.site.sessions == 1


@pytest.mark.parametrize("auth_time", [-3600, None], ids=["an hour ago", "not said"])
async def test_who_was_not_asked_anew_has_proven_nothing(
    acme: SSOSite, provider: OwnProvider, auth_time: int | None
) -> None:
    jo, clock = acme.site.browser(), acme.site.clock
    await acme.sign_in(jo, provider)
    clock.advance(600)
    asked = await begin(acme, jo)
    at = None if auth_time is None else clock() + auth_time
    provider.claims |= {"iat": clock(), "exp": clock() + 300, "auth_time": at}
    assert (await acme.answer(jo, provider, asked)).status_code == 400
    assert (await jo.get(PAGE)).status_code == 200


async def test_another_person_at_the_provider_confirms_nothing(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo, clock = acme.site.browser(), acme.site.clock
    await acme.sign_in(jo, provider)
    clock.advance(600)
    asked = await begin(acme, jo)
    provider.userinfo["sub"] = "kim"
    provider.claims |= {
        "sub": "kim",
        "email": "kim@acme.example",
        "iat": clock(),
        "exp": clock() + 300,
        "auth_time": clock(),
    }
    assert (await acme.answer(jo, provider, asked)).status_code == 400
    assert acme.fault() == "other_person"
    assert (await jo.get(PAGE)).status_code == 200
    assert await jo.who() == "jo@acme.example"


async def test_its_answer_signs_nobody_in_and_serves_no_other_session(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo, clock = acme.site.browser(), acme.site.clock
    await acme.sign_in(jo, provider)
    clock.advance(600)
    asked = await begin(acme, jo)
    jo.cookies.pop(jo.cookie_name())
    provider.claims |= {"iat": clock(), "exp": clock() + 300, "auth_time": clock()}
    assert (await acme.answer(jo, provider, asked)).status_code == 400
    assert acme.fault() == "other_browser"
    assert jo.cookie() is None


async def test_a_provider_that_asks_nobody_anew_is_not_offered(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """At Google it would lead to a page that leads nowhere."""
    jo = acme.site.browser()
    await acme.sign_in(jo, provider)
    acme.site.clock.advance(600)
    assert "your company’s login" in said(await jo.get(PAGE))
    config = {**acme.connection.config, "issuer": "https://accounts.google.com"}
    await acme.floor.connections.change(acme.connection.id, config=config, still_tested=True)
    page = await jo.get(PAGE)
    assert page.status_code == 200
    assert "your company’s login" not in said(page)
    assert "Email me a code" in said(page)


async def test_who_has_no_other_way_is_told_to_sign_out_and_in_again(
    tmp_path: Path, provider: OwnProvider
) -> None:
    """And is led on where they were; a stronger proof no such login is."""
    features = [Organizations(), SSO(unsafe_loopback=True)]
    acme = await SSOSite.make(tmp_path, provider.config(), all_features=features)
    jo = acme.site.browser()
    await acme.sign_in(jo, provider)
    acme.site.clock.advance(600)
    config = {**acme.connection.config, "issuer": "https://accounts.google.com"}
    await acme.floor.connections.change(acme.connection.id, config=config, still_tested=True)
    stronger = await jo.get("/auth/step/up?strength=second_factor")
    assert "needs a stronger proof" in said(stronger)
    page = await jo.get(PAGE)
    assert "go on: sign out, and sign in again." in said(page)
    assert '<input type="hidden" name="next" value="/secret">' in page.text
    assert led_to(await jo.post("/auth/logout", {"next": "/secret"})) == "/secret"
    assert jo.cookie() is None


async def test_who_has_not_come_from_there_is_not_offered_it(acme: SSOSite) -> None:
    jo = acme.site.browser()
    await jo.sign_in("kim@elsewhere.example")
    acme.site.clock.advance(600)
    assert "company’s login" not in said(await jo.get(PAGE))
    assert (await jo.post(PAGE, {"method": "sso"})).status_code == 404


async def test_who_was_signed_in_there_comes_by_a_button_and_has_proven_nothing_freshly(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """Whoever sits at somebody's browser could sign out, and in again, to get around the page."""
    jo, clock = acme.site.browser(), acme.site.clock
    provider.claims["auth_time"] = clock() - 600
    assert (await acme.sign_in(jo, provider)).status_code == 303
    assert await jo.who() == "jo@acme.example"
    assert (await jo.get(PAGE)).status_code == 200
    assert led_to(await jo.get(PAGE.replace("300", "3600"))) == "/secret"


@pytest.mark.parametrize("auth_time", [-(10**300), 0, 2**40], ids=["before", "zero", "to come"])
async def test_a_time_that_is_none_does_no_harm(
    acme: SSOSite, provider: OwnProvider, auth_time: int
) -> None:
    jo, clock = acme.site.browser(), acme.site.clock
    provider.claims["auth_time"] = auth_time
    assert (await acme.sign_in(jo, provider)).status_code == 303
    assert await jo.who() == "jo@acme.example"
    clock.advance(600)
    assert (await jo.get(PAGE)).status_code == 200

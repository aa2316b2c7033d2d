"""Whole logins by OpenID Connect, through the pages; and whom they let in (security rule 51)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pwless_middleware.features.sso.logins.login_states import LIFETIME
from tests.features.sso.sites import NAVIGATION, SSOSite
from tests.identity_providers.own_oidc import OwnProvider
from tests.support import led_to, said

pytestmark = pytest.mark.anyio


async def test_who_comes_for_the_first_time_is_made_a_member(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo = acme.site.browser()
    done = await acme.sign_in(jo, provider, next="/reports?year=2026")
    assert done.status_code == 303, done.text
    assert led_to(done) == "/reports?year=2026"
    assert await jo.who() == "jo@acme.example"
    state = acme.site.inner.scope["state"]
    assert state["organization"].id == acme.organization.id
    assert state["session"].methods == ("sso",)
    (member,) = await acme.floor.members.list(acme.organization.id)
    assert member.origin == "sso"
    assert (await acme.floor.connections.find(acme.connection.id)).tested_at  # type: ignore[union-attr]
    assert [one.kind for one in acme.events("user.created") + acme.events("identity.linked")]


async def test_sessions_end_with_the_connection_that_has_proven_them(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo, kim = acme.site.browser(), acme.site.browser()
    await acme.sign_in(jo, provider)
    await kim.ask("kim@elsewhere.example")
    await kim.type_code(acme.site.mail("kim@elsewhere.example").code)
    await acme.floor.connections.disable(acme.connection.id)
    assert await jo.who() == "jo@acme.example"
    await acme.floor.connections.delete(acme.connection.id)
    assert await jo.who() is None
    assert await kim.who() == "kim@elsewhere.example"


async def test_the_browser_is_sent_with_what_the_answer_is_held_against(
    acme: SSOSite, provider: OwnProvider
) -> None:
    asked = await acme.begin(acme.site.browser())
    assert asked["redirect_uri"] == f"https://app.example.com{acme.path}/callback"
    assert asked["code_challenge_method"] == "S256"
    assert asked["ui_locales"] == "en"
    again = await acme.begin(acme.site.browser())
    assert {asked[name] for name in ("state", "nonce", "code_challenge")}.isdisjoint(
        again[name] for name in ("state", "nonce", "code_challenge")
    )
    assert len(asked["state"]) <= 80


async def test_beginning_writes_nothing(acme: SSOSite) -> None:
    before = acme.site.snapshot()
    for _ in range(20):
        await acme.begin(acme.site.browser())
    assert acme.site.snapshot() == before


async def test_an_answer_counts_once_however_often_it_comes_at_the_same_time(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo = acme.site.browser()
    asked = await acme.begin(jo)
    answers = await asyncio.gather(*(acme.answer(jo, provider, asked) for _ in range(5)))
    assert acme.site.sessions == 1
    assert sorted(answer.status_code for answer in answers).count(303) >= 1
    assert len(provider.asked("/token")) == 1


async def test_the_page_loaded_anew_leads_on_and_signs_nobody_else_in(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo = acme.site.browser()
    asked = await acme.begin(jo, next="/in")
    await acme.answer(jo, provider, asked)
    assert led_to(await acme.answer(jo, provider, asked)) == "/in"
    jo.cookies.pop(jo.cookie_name())
    again = await acme.answer(jo, provider, asked)
    assert again.status_code == 400
    assert acme.fault() == "state_used"
    assert jo.cookie() is None


async def test_head_spends_nothing(acme: SSOSite, provider: OwnProvider) -> None:
    jo = acme.site.browser()
    asked = await acme.begin(jo)
    provider.nonce = asked["nonce"]
    url = f"{acme.path}/callback?state={asked['state']}&code=a-code"
    assert (await jo.request("HEAD", url)).status_code == 204
    assert (await acme.answer(jo, provider, asked)).status_code == 303


async def test_another_browser_cannot_bring_the_answer(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """Who has somebody else follow the end of their own login would sign them in as themselves."""
    mallory, jo = acme.site.browser(), acme.site.browser()
    asked = await acme.begin(mallory)
    for victim in (jo, acme.site.browser()):
        answer = await acme.answer(victim, provider, asked)
        assert answer.status_code == 400
        assert acme.fault() == "other_browser"
        acme.site.clock.advance(60)
        await acme.begin(jo)  # one in which another login has begun is no better
    assert provider.asked("/token") == []
    assert (await acme.answer(mallory, provider, asked)).status_code == 303  # not spent by that


async def test_several_tabs_each_come_back_to_their_place(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo = acme.site.browser()
    tabs = []
    for place in ("/a", "/b"):
        tabs.append(await acme.begin(jo, next=place))
        acme.site.clock.advance(40)
    assert led_to(await acme.answer(jo, provider, tabs[0])) == "/a"
    assert led_to(await acme.answer(jo, provider, tabs[1])) == "/b"


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("code=x", "state_missing"),
        ("code=x&state=", "state_missing"),
        ("code=x&state=made-up", "state_unknown"),
        ("code=x&state=S&state=S", "state_missing"),
    ],
)
async def test_what_names_no_login_of_ours_is_refused(
    acme: SSOSite, provider: OwnProvider, query: str, fault: str
) -> None:
    jo = acme.site.browser()
    asked = await acme.begin(jo)
    query = query.replace("S", asked["state"])
    answer = await jo.get(f"{acme.path}/callback?{query}", headers=NAVIGATION)
    assert (answer.status_code, acme.fault()) == (400, fault)
    assert provider.asked("/token") == []


async def test_an_answer_comes_too_late(acme: SSOSite, provider: OwnProvider) -> None:
    jo = acme.site.browser()
    asked = await acme.begin(jo)
    acme.site.clock.advance(LIFETIME)
    assert (await acme.answer(jo, provider, asked)).status_code == 400
    assert acme.fault() == "state_expired"


async def test_an_answer_to_another_connection_is_refused(
    acme: SSOSite, provider: OwnProvider
) -> None:
    """A provider of one customer cannot answer in the name of another's (mix-up)."""
    _, other = await acme.add_organization("Other", "other.example", provider.config())
    jo = acme.site.browser()
    asked = await acme.begin(jo, connection=other.id)
    assert (await acme.answer(jo, provider, asked)).status_code == 400
    assert acme.fault() == "other_connection"
    assert provider.asked("/token") == []


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"iss": "https://evil.example"}, "issuer_mismatch"),
        ({"error": "access_denied", "code": ""}, "access_denied"),
        ({"code": ""}, "code_missing"),
        ({"code": ["a-code", "b-code"]}, "code_missing"),
        ({"iss": ["https://one.example", "https://evil.example"]}, "issuer_mismatch"),
    ],
)
async def test_the_person_reads_a_reference_and_the_log_why(
    acme: SSOSite, provider: OwnProvider, more: dict[str, Any], fault: str
) -> None:
    jo = acme.site.browser()
    asked = await acme.begin(jo)
    answer = await acme.answer(jo, provider, asked, **more)
    (event,) = acme.events("sso.failed")
    assert (event.reason, event.organization) == (fault, acme.organization.id)
    assert event.details == {"connection": acme.connection.id}
    assert f"Reference: {event.attempt}" in said(answer)
    assert "evil.example" not in answer.text


async def test_a_token_of_another_login_is_refused(acme: SSOSite, provider: OwnProvider) -> None:
    jo = acme.site.browser()
    first = await acme.begin(jo)
    second = await acme.begin(acme.site.browser())
    answer = await acme.answer(jo, provider, {**first, "nonce": second["nonce"]})
    assert (answer.status_code, acme.fault()) == (400, "id_token_nonce")


@pytest.mark.parametrize("how", ["disabled", "off", "deleted"])
async def test_nobody_signs_in_by_what_was_turned_off_meanwhile(
    acme: SSOSite, provider: OwnProvider, how: str
) -> None:
    jo = acme.site.browser()
    asked = await acme.begin(jo)
    if how == "disabled":
        await acme.floor.connections.disable(acme.connection.id)
    elif how == "off":
        await acme.set_policy(sso="off")
    else:
        await acme.floor.connections.delete(acme.connection.id)
    answer = await acme.answer(jo, provider, asked)
    assert answer.status_code == (404 if how == "deleted" else 400)
    assert acme.site.sessions == 0
    assert provider.asked("/token") == []


async def test_a_provider_that_is_down_is_said_so_in_the_log_alone(
    acme: SSOSite, provider: OwnProvider
) -> None:
    provider.metadata["issuer"] = "https://other.example"
    answer = await acme.start(acme.site.browser())
    assert (answer.status_code, acme.fault()) == (400, "discovery_issuer")
    assert "other.example" not in answer.text
    assert "Try again" in said(answer)

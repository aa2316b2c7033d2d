"""Whole logins by SAML, through the pages; and whom they let in (security rule 52)."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from lxml import etree

from pwless_middleware.features.sso.logins.login_states import LIFETIME
from pwless_middleware.features.sso.saml.metadata import fetch_metadata
from pwless_middleware.features.sso.saml.settings import ServiceProvider
from pwless_middleware.safe_http.client import SafeHTTPClient
from tests.features.sso.sites import NAVIGATION, SSOSite, below, query_of
from tests.identity_providers.nanoidp import NanoIDP
from tests.identity_providers.saml import SAMLProvider, form_field, read_request, stamp
from tests.support import Browser, Clock, led_to, said

pytestmark = pytest.mark.anyio

IDP = SAMLProvider()
ELSEWHERE = {"origin": "https://idp.example", "sec-fetch-site": "cross-site", **NAVIGATION}
Asked = dict[str, str]


@pytest.fixture
async def acme(tmp_path: Path) -> SSOSite:
    """Acme, whose company login is by SAML."""
    return await SSOSite.make(tmp_path, IDP.config(), kind="saml")


def service_of(acme: SSOSite, connection: str = "") -> ServiceProvider:
    below = f"https://app.example.com/auth/sso/{connection or acme.connection.id}"
    return ServiceProvider(entity_id=f"{below}/metadata", acs_url=f"{below}/acs")


async def begin(acme: SSOSite, browser: Browser, **more: str) -> Asked:
    """Begin a login, and return what the provider is asked with."""
    answer = await acme.start(browser, **more)
    if answer.status_code == 200:  # a second one asks by a button whether it is meant
        form = {"connection": more.get("connection", acme.connection.id)}
        answer = await browser.post("/auth/sso/start", form)
    assert answer.status_code == 303, answer.text
    url = answer.headers["location"]
    assert url.startswith(IDP.sso_url)
    return {"id": read_request(url).get("ID"), **query_of(url)}


def answer_to(acme: SSOSite, asked: Asked, provider: SAMLProvider = IDP, **given: Any) -> bytes:
    usual: dict[str, Any] = {"request_id": asked["id"], "now": acme.site.clock()}
    return provider.answer(service_of(acme), **usual | given)


async def post(
    acme: SSOSite, asked: Asked, xml: bytes, *, connection: str = "", **more: str
) -> httpx.Response:
    """Post an answer, as a browser does whose cookies stay behind: the form is another site's."""
    form = {"SAMLResponse": form_field(xml), "RelayState": asked["RelayState"], **more}
    path = f"/auth/sso/{connection or acme.connection.id}/acs"
    return await acme.site.browser().post(path, form, headers=ELSEWHERE)


async def finish(browser: Browser, posted: httpx.Response) -> httpx.Response:
    """Follow the redirect, with cookies."""
    assert posted.status_code == 303, posted.text
    return await browser.get(below(posted.headers["location"]), headers=NAVIGATION)


async def sign_in(acme: SSOSite, browser: Browser, **given: Any) -> httpx.Response:
    asked = await begin(acme, browser)
    return await finish(browser, await post(acme, asked, answer_to(acme, asked, **given)))


async def test_who_comes_for_the_first_time_is_made_a_member(acme: SSOSite) -> None:
    jo = acme.site.browser()
    asked = await begin(acme, jo, next="/reports?year=2026")
    posted = await post(acme, asked, answer_to(acme, asked))
    done = await finish(jo, posted)
    assert done.status_code == 303, done.text
    assert led_to(done) == "/reports?year=2026"
    assert await jo.who() == "ada@acme.example"
    state = acme.site.inner.scope["state"]
    assert state["organization"].id == acme.organization.id
    assert state["session"].methods == ("sso",)
    (member,) = await acme.floor.members.list(acme.organization.id)
    assert member.origin == "sso"
    found = await acme.floor.connections.find(acme.connection.id)
    assert found is not None
    assert found.tested_at


async def test_the_page_that_takes_the_answer_signs_nobody_in(acme: SSOSite) -> None:
    """It takes it from anybody: no cookie tells whose browser it is."""
    jo = acme.site.browser()
    asked = await begin(acme, jo)
    posted = await post(acme, asked, answer_to(acme, asked))
    assert not posted.headers.get_list("set-cookie")
    assert "ada@" not in posted.headers["location"]
    stranger = acme.site.browser()
    assert (await finish(stranger, posted)).status_code != 303
    assert await stranger.who() is None
    await finish(jo, posted)
    assert await jo.who() == "ada@acme.example"


async def test_somebody_cannot_be_signed_in_as_the_attacker(acme: SSOSite) -> None:
    """The attacker signs in at the provider, and has the victim's browser post the answer."""
    attacker, victim = acme.site.browser(), acme.site.browser()
    asked = await begin(acme, attacker)
    await begin(acme, victim)
    await finish(victim, await post(acme, asked, answer_to(acme, asked)))
    assert await victim.who() is None
    assert acme.fault() == "other_browser"


async def test_an_answer_counts_once_however_often_it_is_posted_at_once(acme: SSOSite) -> None:
    jo = acme.site.browser()
    asked = await begin(acme, jo)
    xml = answer_to(acme, asked)
    answers = await asyncio.gather(*(post(acme, asked, xml) for _ in range(5)))
    led = [one for one in answers if one.status_code == 303]
    assert len(led) == 1
    await finish(jo, led[0])
    assert await jo.who() == "ada@acme.example"
    assert len(acme.events("session.created")) == 1


async def test_an_answer_is_none_to_the_next_login_of_the_same_browser(acme: SSOSite) -> None:
    jo = acme.site.browser()
    asked = await begin(acme, jo)
    xml = answer_to(acme, asked)
    again = await begin(acme, jo)
    await finish(jo, await post(acme, again, xml))
    assert acme.fault() == "response_request"
    assert await jo.who() is None


async def test_an_answer_for_another_connection_is_refused_there(acme: SSOSite) -> None:
    """Of another organization, by the same provider, with the same certificate."""
    _, other = await acme.add_organization("Other", "other.example", IDP.config(), "saml")
    jo = acme.site.browser()
    asked = await begin(acme, jo)
    xml = answer_to(acme, asked)
    posted = await post(acme, asked, xml, connection=other.id)
    assert posted.status_code != 303
    assert acme.fault() == "other_connection"
    theirs = await begin(acme, jo, connection=other.id)
    posted = await post(acme, theirs, xml, connection=other.id)
    await jo.get(below(posted.headers["location"]), headers=NAVIGATION)
    assert acme.fault() == "response_destination"
    assert await jo.who() is None


async def test_what_a_provider_did_not_sign_signs_nobody_in(acme: SSOSite) -> None:
    jo = acme.site.browser()
    attacker = SAMLProvider(IDP.entity_id, key="attacker")
    for given, code in (
        ({"signed": "nothing"}, "signature_missing"),
        ({"provider": attacker}, "signature_key"),
        ({"attributes": {"email": ["jo@elsewhere.example"]}}, "address_foreign"),
    ):
        done = await sign_in(acme, jo, **given)
        assert done.status_code >= 400
        assert acme.fault() == code
        assert await jo.who() is None


async def test_a_wrapped_answer_signs_nobody_in(acme: SSOSite) -> None:
    jo = acme.site.browser()
    asked = await begin(acme, jo)
    xml = answer_to(acme, asked)
    real = xml[xml.index(b"<saml:Assertion") : xml.index(b"</samlp:Response>")]
    evil = real.replace(b"u-1001", b"boss").replace(b'ID="_assertion', b'ID="_evil')
    await finish(jo, await post(acme, asked, xml.replace(real, evil + real)))
    assert acme.fault() == "assertion_several"
    assert await jo.who() is None


async def test_the_person_reads_a_reference_and_the_administrator_the_reason(
    acme: SSOSite,
) -> None:
    jo = acme.site.browser()
    page = await sign_in(acme, jo, signed="nothing")
    (event,) = acme.events("sso.failed")
    assert event.reason == "signature_missing"
    assert event.organization == acme.organization.id
    assert "signed" not in said(page).lower().replace("signed in", "")
    assert re.search(r"[A-Za-z0-9_-]{8,}", said(page))


async def test_an_answer_that_comes_too_late_is_none(acme: SSOSite) -> None:
    jo = acme.site.browser()
    asked = await begin(acme, jo)
    acme.site.clock.advance(LIFETIME + 1)
    posted = await post(acme, asked, answer_to(acme, asked))
    assert posted.status_code != 303
    assert await jo.who() is None


@pytest.mark.parametrize("form", [{}, {"SAMLResponse": ""}, {"SAMLResponse": "%%%"}])
async def test_a_form_that_holds_no_answer_is_no_crash(acme: SSOSite, form: dict[str, str]) -> None:
    jo = acme.site.browser()
    asked = await begin(acme, jo)
    form = {"RelayState": asked["RelayState"], **form}
    posted = await jo.post(f"{acme.path}/acs", form, headers=ELSEWHERE)
    done = await finish(jo, posted)
    assert done.status_code >= 400
    assert acme.fault() in ("response_missing", "response_malformed")


async def test_an_answer_without_any_login_of_ours_is_told_where_to_begin(acme: SSOSite) -> None:
    xml = IDP.answer(service_of(acme), request_id=None, now=acme.site.clock())
    posted = await post(acme, {"RelayState": ""}, xml)
    assert posted.status_code >= 400
    assert acme.fault() == "state_missing"


async def test_a_login_that_the_provider_began_is_begun_once_more_here(acme: SSOSite) -> None:
    config = {**acme.connection.config, "allow_unsolicited": True}
    await acme.floor.connections.change(acme.connection.id, config=config)
    xml = IDP.answer(service_of(acme), request_id=None, now=acme.site.clock())
    posted = await post(acme, {"RelayState": ""}, xml)
    assert posted.status_code == 303
    assert urlsplit(posted.headers["location"]).path == "/auth/sso/start"
    assert not posted.headers.get_list("set-cookie")


async def test_a_second_factor_of_the_provider_counts_only_where_the_connection_says_so(
    acme: SSOSite,
) -> None:
    context = "https://refeds.org/profile/mfa"
    await sign_in(acme, jo := acme.site.browser(), context=context)
    assert await jo.who()
    factors = acme.site.inner.scope["state"]["session"].authentications[0].factors
    assert f"mfa:{acme.connection.id}" not in factors
    config = {**acme.connection.config, "counts_mfa": True}
    await acme.floor.connections.change(acme.connection.id, config=config)
    await sign_in(acme, jo := acme.site.browser(), context=context)
    assert await jo.who()
    factors = acme.site.inner.scope["state"]["session"].authentications[0].factors
    assert f"mfa:{acme.connection.id}" in factors


async def test_our_metadata_say_where_answers_go(acme: SSOSite) -> None:
    answer = await acme.site.browser().get(f"{acme.path}/metadata")
    assert answer.headers["content-type"].startswith("application/samlmetadata+xml")
    root = etree.fromstring(answer.content)
    assert root.get("entityID") == service_of(acme).entity_id
    (acs,) = root.iter("{urn:oasis:names:tc:SAML:2.0:metadata}AssertionConsumerService")
    assert acs.get("Location") == service_of(acme).acs_url


async def test_one_name_is_one_person_whatever_their_address_is_now(acme: SSOSite) -> None:
    """Security rule 50."""
    await sign_in(acme, acme.site.browser(), name_id="u-1")
    married = {"email": ["ada.king@acme.example"]}
    await sign_in(acme, jo := acme.site.browser(), name_id="u-1", attributes=married)
    assert await jo.who() == "ada@acme.example"
    (member,) = await acme.floor.members.list(acme.organization.id)
    assert member.user_id == acme.site.inner.scope["state"]["user"].id


async def test_a_session_that_comes_along_with_the_answer_does_nothing(acme: SSOSite) -> None:
    jo = acme.site.browser()
    await jo.sign_in("kim@elsewhere.example")
    asked = await begin(acme, jo)
    form = {"SAMLResponse": form_field(answer_to(acme, asked)), "RelayState": asked["RelayState"]}
    await jo.post(f"{acme.path}/acs", form, headers=ELSEWHERE)
    assert await jo.who() == "kim@elsewhere.example"


async def test_head_on_the_way_spends_nothing(acme: SSOSite) -> None:
    jo = acme.site.browser()
    asked = await begin(acme, jo)
    posted = await post(acme, asked, answer_to(acme, asked))
    url = below(posted.headers["location"])
    assert (await jo.request("HEAD", url)).status_code == 204
    assert (await finish(jo, posted)).status_code == 303


async def test_a_form_that_is_too_large_is_not_read(acme: SSOSite) -> None:
    asked = await begin(acme, acme.site.browser())
    assert (await post(acme, asked, b"A" * 600_000)).status_code == 413


async def test_our_metadata_is_there_before_anything_is_known_of_the_provider(
    acme: SSOSite,
) -> None:
    made = await acme.floor.connections.create(acme.organization.id, "saml", "Okta")
    answer = await acme.site.browser().get(f"/auth/sso/{made.id}/metadata")
    assert f"https://app.example.com/auth/sso/{made.id}/acs" in answer.text


# --- a further proof -----------------------------------------------------------------------------

STEP_UP = "/auth/step/up?within=300&next=/secret"


async def confirm(acme: SSOSite, browser: Browser, *, signed_in: int) -> httpx.Response:
    """Press the button of the page that asks again, and come back having signed in then."""
    pressed = await browser.post(STEP_UP, {"method": "sso"})
    url = pressed.headers["location"]
    request = read_request(url)
    assert request.get("ForceAuthn") == "true"

    def edit(response: Any) -> None:
        statement = response.find(".//{urn:oasis:names:tc:SAML:2.0:assertion}AuthnStatement")
        statement.set("AuthnInstant", stamp(signed_in))

    asked = {"id": request.get("ID"), **query_of(url)}
    return await finish(browser, await post(acme, asked, answer_to(acme, asked, edit=edit)))


async def test_a_fresh_login_there_renews_the_session(acme: SSOSite) -> None:
    await sign_in(acme, jo := acme.site.browser())
    acme.site.clock.advance(600)
    done = await confirm(acme, jo, signed_in=acme.site.clock())
    assert led_to(done) == "/secret"
    assert led_to(await jo.get(STEP_UP)) == "/secret"  # fresh now
    assert acme.site.sessions == 1


async def test_who_was_signed_in_there_has_proven_nothing_freshly(acme: SSOSite) -> None:
    def edit(response: Any) -> None:
        statement = response.find(".//{urn:oasis:names:tc:SAML:2.0:assertion}AuthnStatement")
        statement.set("AuthnInstant", stamp(acme.site.clock() - 600))

    await sign_in(acme, ada := acme.site.browser(), edit=edit)
    assert await ada.who() == "ada@acme.example"
    assert (await ada.get(STEP_UP)).status_code == 200


async def test_a_provider_that_asked_nobody_anew_confirms_nothing(acme: SSOSite) -> None:
    await sign_in(acme, jo := acme.site.browser())
    acme.site.clock.advance(600)
    done = await confirm(acme, jo, signed_in=acme.site.clock() - 600)
    assert done.status_code == 400
    assert acme.fault() == "assertion_login"
    assert (await jo.get(STEP_UP)).status_code == 200


# --- a provider of other people ------------------------------------------------------------------


async def test_a_whole_login_at_nanoidp(tmp_path: Path, nanoidp: NanoIDP) -> None:
    clock = Clock(int(time.time()))  # it has no other
    client = SafeHTTPClient("features", extra="sso", allow_loopback=True)
    url = f"{nanoidp.issuer}/saml/metadata"
    metadata = await fetch_metadata(client, url, now=clock())
    acme = await SSOSite.make(tmp_path, metadata.to_config(), kind="saml", clock=clock)
    jo = acme.site.browser()
    begun = await acme.start(jo, next="/reports")
    to, form = await nanoidp.post_back(begun.headers["location"], "jo")
    assert to == service_of(acme).acs_url
    posted = await acme.site.browser().post(below(to), form, headers=ELSEWHERE)
    assert led_to(await finish(jo, posted)) == "/reports"
    assert await jo.who() == "jo@acme.example"

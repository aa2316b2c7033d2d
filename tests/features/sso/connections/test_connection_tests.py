"""The test of a connection: a whole login that signs nobody in, and says what came."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx
import pytest

from pwless_middleware import Dashboard
from tests.features.sso.sites import NAVIGATION, SSOSite, query_of
from tests.features.sso.test_saml_logins import IDP, answer_to, finish, post
from tests.identity_providers.own_oidc import OwnProvider
from tests.identity_providers.saml import read_request
from tests.support import Browser, led_to, said

pytestmark = pytest.mark.anyio

OPS = "ops@example.com"
URL = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')


@pytest.fixture
async def acme(provider: OwnProvider, tmp_path: Path) -> SSOSite:
    """Acme, and somebody who looks after all organizations."""
    features = (Dashboard(operators=[OPS]),)
    return await SSOSite.make(tmp_path, provider.config(), features=features)


async def open_browser(acme: SSOSite) -> Browser:
    """Return an operator's browser."""
    browser = acme.site.browser()
    await browser.sign_in(OPS)
    return browser


async def press(acme: SSOSite, browser: Browser) -> httpx.Response:
    """Press the button that begins a test."""
    return await browser.post(f"{acme.path}/test", {})


async def begin(acme: SSOSite, browser: Browser) -> str:
    """Begin a test; return the URL that the browser is led to."""
    page = await press(acme, browser)
    found = URL.search(page.text)
    assert found, page.text
    return unescape(found[1])


async def test_what_came_is_shown_and_nobody_is_signed_in(
    acme: SSOSite, provider: OwnProvider
) -> None:
    await acme.floor.connections.disable(acme.connection.id)  # it need not be on
    provider.claims |= {"name": "Jo <b>Doe</b>", "groups": ["staff"]}
    admin = await open_browser(acme)
    url = await begin(acme, admin)
    came = await acme.answer(admin, provider, query_of(url))
    report = await admin.get(led_to(came))
    text = said(report)
    assert "The test worked" in text
    for shown in ("248289761001", "jo@acme.example", "staff", "Jo &lt;b&gt;Doe"):
        assert shown in report.text
    assert f"/dashboard/organizations/{acme.organization.id}/connections" in report.text
    assert await admin.who() == OPS
    assert acme.site.sessions == 1
    assert await acme.floor.identities.list_of(acme.connection.id) == []
    assert await acme.floor.members.list(acme.organization.id) == []
    tested = await acme.floor.connections.find(acme.connection.id)
    assert tested is not None
    assert tested.tested_at is not None
    assert len(acme.events("sso.tested")) == 1


async def test_what_was_wrong_is_said_with_what_was_expected(
    acme: SSOSite, provider: OwnProvider
) -> None:
    admin = await open_browser(acme)
    url = await begin(acme, admin)
    provider.claims["aud"] = "another-app"
    came = await acme.answer(admin, provider, query_of(url))
    text = said(await admin.get(led_to(came)))
    assert "The test did not work" in text
    assert "made for another app" in text
    assert "another-app" in text
    assert acme.fault() == "id_token_audience"
    tested = await acme.floor.connections.find(acme.connection.id)
    assert tested is not None
    assert tested.tested_at is None


async def test_a_provider_that_cannot_be_asked_is_said_at_once(
    acme: SSOSite, provider: OwnProvider
) -> None:
    provider.metadata["issuer"] = "https://other.example"
    admin = await open_browser(acme)
    page = await press(acme, admin)
    assert "names another issuer" in said(page)
    assert "https://other.example" in page.text


async def test_an_address_that_could_not_be_linked_is_a_warning(
    acme: SSOSite, provider: OwnProvider
) -> None:
    provider.claims["email"] = "jo@elsewhere.example"
    admin = await open_browser(acme)
    came = await acme.answer(admin, provider, query_of(await begin(acme, admin)))
    text = said(await admin.get(led_to(came)))
    assert "The test worked" in text
    assert "not in a verified domain" in text


async def test_groups_that_are_to_give_roles_and_do_not_come_are_a_warning(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """Entra leaves them out where somebody is in too many."""
    config = {**provider.config(), "roles": [["admins", "admin"]]}
    acme = await SSOSite.make(tmp_path, config, features=(Dashboard(operators=[OPS]),))
    provider.claims |= {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}
    admin = await open_browser(acme)
    came = await acme.answer(admin, provider, query_of(await begin(acme, admin)))
    text = said(await admin.get(led_to(came)))
    assert "The test worked" in text
    assert "the provider sends none" in text


async def test_the_answer_to_a_test_is_no_login_and_the_report_is_nobody_elses(
    acme: SSOSite, provider: OwnProvider
) -> None:
    admin, other = await open_browser(acme), acme.site.browser()
    asked = query_of(await begin(acme, admin))
    assert (await acme.answer(other, provider, asked)).status_code == 400
    came = await acme.answer(admin, provider, asked)
    assert (await other.get(led_to(came))).status_code == 404
    await acme.begin(other)
    assert (await other.get(led_to(came))).status_code == 410
    assert (await admin.get(led_to(came))).status_code == 200
    _, theirs = await acme.add_organization("Other", "other.example", provider.config())
    elsewhere = led_to(came).replace(acme.connection.id, theirs.id)
    assert (await admin.get(elsewhere)).status_code == 410, "it would name the other connection"
    acme.site.clock.advance(901)
    assert (await admin.get(led_to(came))).status_code == 410


async def test_only_operators_begin_a_test_by_its_own_route(acme: SSOSite) -> None:
    stranger = acme.site.browser()
    assert led_to(await press(acme, stranger)).startswith("/auth/login?")
    await stranger.sign_in("jo@acme.example")
    assert (await press(acme, stranger)).status_code == 404
    foreign = {"origin": "https://evil.example"}
    assert (await stranger.post(f"{acme.path}/test", {}, headers=foreign)).status_code == 403


async def test_a_saml_answer_shows_all_that_is_wrong(tmp_path: Path) -> None:
    features = (Dashboard(operators=[OPS]),)
    acme = await SSOSite.make(tmp_path, IDP.config(), kind="saml", features=features)
    admin = await open_browser(acme)
    for given, words in (
        ({}, ["The test worked", "ada@acme.example", "u-1001"]),
        ({"signed": "nothing"}, ["The test did not work", "is signed"]),
        ({"now": acme.site.clock() - 7200}, ["The test did not work"]),
    ):
        url = await begin(acme, admin)
        asked = {"id": read_request(url).get("ID"), **query_of(url)}
        posted = await post(acme, asked, answer_to(acme, asked, **given))
        kept = await finish(admin, posted)
        text = said(await admin.get(led_to(kept), headers=NAVIGATION))
        for word in words:
            assert word in text, (given, word, text)
    assert acme.site.sessions == 1

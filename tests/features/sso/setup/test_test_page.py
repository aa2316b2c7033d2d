"""The test of a login within the set-up: a whole login that signs nobody in."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.features.sso.setup.administrator import SETUP, SetupSite, make_setup_site
from tests.features.sso.sites import NAVIGATION, below, query_of
from tests.identity_providers.own_oidc import OwnProvider
from tests.identity_providers.provider import CLIENT_ID, CLIENT_SECRET
from tests.support import Browser

pytestmark = pytest.mark.anyio


@pytest.fixture
async def setup(tmp_path: Path) -> SetupSite:
    return await make_setup_site(tmp_path)


async def connect(setup: SetupSite, browser: Browser, provider: OwnProvider) -> str:
    """Enter the provider, and return the id of the connection."""
    id = await setup.begin(browser, "oidc")
    form = {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert (await setup.enter(browser, id, **form)).status_code == 303
    setup.site.clock.advance(2)
    return id


async def run(setup: SetupSite, browser: Browser, provider: OwnProvider, id: str) -> httpx.Response:
    """Run the test in a browser, and return the page that shows what came of it."""
    page = await browser.post(f"{SETUP}/connections/{id}/test", {})
    (url,) = re.findall(r'<a class="button" href="([^"]+)"', page.text)
    asked = query_of(unescape(url))
    provider.nonce, now = asked["nonce"], setup.site.clock()
    provider.claims = {"iat": now, "exp": now + 300, **provider.claims}
    query = httpx.QueryParams({"state": asked["state"], "code": "a-code"})
    came = await browser.get(f"/auth/sso/{id}/callback?{query}", headers=NAVIGATION)
    assert came.status_code == 303, came.text
    return await browser.get(below(came.headers["location"]))


async def test_a_test_that_works_is_shown_leads_back_and_signs_nobody_in(
    setup: SetupSite, provider: OwnProvider
) -> None:
    jo = await setup.open()
    id = await connect(setup, jo, provider)
    report = await run(setup, jo, provider, id)
    assert "The test worked" in report.text
    assert "jo@acme.example" in report.text
    assert f'href="{SETUP}/connections/{id}/test"' in report.text
    assert "The login has worked" in (await jo.get(f"{SETUP}/connections/{id}/test")).text
    assert await jo.who() is None
    assert setup.site.sessions == 0
    assert await setup.floor.members.list(setup.acme.id) == []


async def test_what_is_wrong_is_said_in_words_and_counts_as_no_test(
    setup: SetupSite, provider: OwnProvider
) -> None:
    jo = await setup.open()
    id = await connect(setup, jo, provider)
    provider.claims["aud"] = "another-app"
    report = await run(setup, jo, provider, id)
    assert "The ID token was made for another app." in report.text
    assert "another-app" in report.text
    assert (await setup.connection(id)).tested_at is None
    assert "The login has worked" not in (await jo.get(f"{SETUP}/connections/{id}/test")).text


async def test_what_is_changed_has_to_be_tested_anew(
    setup: SetupSite, provider: OwnProvider
) -> None:
    jo = await setup.open()
    id = await connect(setup, jo, provider)
    await run(setup, jo, provider, id)
    setup.site.clock.advance(2)
    await setup.enter(jo, id, issuer=provider.issuer, client_id="other")
    assert "Test the login: it has to work once" in (await jo.get(f"{SETUP}/turn-on")).text


async def test_nothing_is_tested_before_something_is_entered(setup: SetupSite) -> None:
    jo = await setup.open()
    id = await setup.begin(jo, "okta")
    page = f"{SETUP}/connections/{id}"
    for answer in (await jo.get(f"{page}/test"), await jo.post(f"{page}/test", {})):
        assert answer.headers["location"] == f"https://app.example.com{page}"

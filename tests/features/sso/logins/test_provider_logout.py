"""Sign out of the company's login too."""

from __future__ import annotations

import pytest

from tests.features.sso.sites import SSOSite, query_of
from tests.identity_providers.own_oidc import OwnProvider
from tests.support import led_to, said

pytestmark = pytest.mark.anyio


async def test_who_came_from_there_signs_out_of_both(acme: SSOSite, provider: OwnProvider) -> None:
    provider.metadata["end_session_endpoint"] = f"{provider.issuer}/end"
    jo = acme.site.browser()
    await acme.sign_in(jo, provider)
    assert "Sign out of Acme login too" in said(await jo.get("/auth/logout"))
    answer = await jo.post("/auth/sso/logout", {})
    assert answer.headers["location"].startswith(f"{provider.issuer}/end?")
    query = query_of(answer.headers["location"])
    assert query["post_logout_redirect_uri"] == "https://app.example.com/auth/logout"
    assert query["client_id"] == "acme-app"
    assert answer.headers["clear-site-data"] == '"cache"'
    assert await jo.who() is None
    assert acme.site.sessions == 0


@pytest.mark.parametrize("is_down", [False, True])
async def test_without_such_a_page_there_the_session_ends_here(
    acme: SSOSite, provider: OwnProvider, is_down: bool
) -> None:
    jo = acme.site.browser()
    await acme.sign_in(jo, provider)
    if is_down:
        provider.metadata["issuer"] = "https://other.example"
        acme.site.clock.advance(3600)
    assert led_to(await jo.post("/auth/sso/logout", {})) == "/auth/logout"
    assert await jo.who() is None


async def test_others_are_offered_nothing_and_other_sites_sign_nobody_out(
    acme: SSOSite, provider: OwnProvider
) -> None:
    kim, jo = acme.site.browser(), acme.site.browser()
    await kim.sign_in("kim@elsewhere.example")
    assert "login too" not in said(await kim.get("/auth/logout"))
    await acme.sign_in(jo, provider)
    foreign = {"origin": "https://evil.example"}
    assert (await jo.post("/auth/sso/logout", {}, headers=foreign)).status_code == 403
    assert await jo.who() == "jo@acme.example"

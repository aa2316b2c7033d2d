"""What an organization asks holds for who comes by a social login too (security rule 55)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.features.organizations import Organizations
from pwless_middleware.features.second_factors import SecondFactors
from pwless_middleware.features.sso.options import SSO
from tests.features.organizations.scene import make_organization, place_of
from tests.features.sso.social.people import SIGNS_IN, Visitor, social_site
from tests.organizations import add_app, add_connection, floor_of, set_policy
from tests.support import led_to

pytestmark = pytest.mark.anyio


async def test_a_method_that_the_owner_of_the_domain_does_not_allow_lets_nobody_in(
    tmp_path: Path,
) -> None:
    async with social_site(tmp_path, Organizations()) as (site, provider):
        acme = await make_organization(site, "Acme", domain="acme.example")
        await set_policy(floor_of(site), acme.id, methods=frozenset({"email"}))
        jo = Visitor(site, provider)
        assert (await jo.sign_in()).status_code == 403
        assert await jo.browser.who() is None
        await set_policy(floor_of(site), acme.id, methods=frozenset({"social"}))
        assert (await jo.sign_in()).status_code == 303
        assert await jo.browser.who() == "jo@acme.example"


async def test_no_account_elsewhere_leads_around_the_companys_login(tmp_path: Path) -> None:
    async with social_site(tmp_path, Organizations(), SSO()) as (site, provider):
        floor = floor_of(site)
        acme = await make_organization(site, "Acme", "boss@acme.example", domain="acme.example")
        boss = await site.passwordless.people.find("boss@acme.example")
        assert boss is not None
        await add_app(site, boss.id)
        await add_connection(floor, acme.id)
        await set_policy(
            floor, acme.id, sso="required", break_glass=frozenset({"boss@acme.example"})
        )
        for claims in (SIGNS_IN, {"email": "jo@acme.example"}):
            jo = Visitor(site, provider)
            came = await jo.sign_in(str(claims), **claims)
            assert came.status_code in (303, 403)
            if came.status_code == 303:
                assert led_to(came).startswith("/auth/sso/start")
            assert await jo.browser.who() is None
            assert site.outbox.messages == []


async def test_a_second_factor_that_is_required_is_asked_for(tmp_path: Path) -> None:
    features = (Organizations(), SecondFactors())
    async with social_site(tmp_path, *features) as (site, provider):
        acme = await make_organization(site, "Acme", "jo@acme.example", domain="acme.example")
        await set_policy(floor_of(site), acme.id, mfa="required")
        jo = Visitor(site, provider)
        came = await jo.sign_in()
        assert "/auth/step/" in led_to(came)
        assert await jo.browser.who() is None


async def test_a_member_enters_the_organization_of_the_link(tmp_path: Path) -> None:
    async with social_site(tmp_path, Organizations()) as (site, provider):
        acme = await make_organization(site, "Acme", "jo@acme.example")
        await make_organization(site, "Beta", "jo@acme.example")
        jo = Visitor(site, provider)
        pressed = await jo.press(organization=acme.id)
        await jo.browser.get(await jo.consent(pressed, **SIGNS_IN))
        assert await place_of(site, jo.browser) == "Acme"
        stranger = Visitor(site, provider)
        pressed = await stranger.press(organization=acme.id)
        claims = {"email": "bo@acme.example", "email_verified": True}
        url = await stranger.consent(pressed, "2", **claims)
        assert (await stranger.browser.get(url)).status_code == 403

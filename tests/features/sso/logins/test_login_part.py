"""The login page leads to the company's login."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pwless_middleware import Organizations, Passkeys, SecondFactors
from pwless_middleware.features.sso.options import SSO
from tests.features.sso.logins.test_home_realm import require
from tests.features.sso.sites import NAVIGATION, SSOSite, query_of
from tests.identity_providers.own_oidc import OwnProvider
from tests.organizations import add_app
from tests.support import led_to, said

pytestmark = pytest.mark.anyio

FROM_ELSEWHERE = {**NAVIGATION, "sec-fetch-site": "cross-site"}
"""A link on another site leads to a page with a button."""


async def test_the_link_of_an_organization_shows_its_button(
    acme: SSOSite, provider: OwnProvider
) -> None:
    jo = acme.site.browser()
    assert "login of Acme" not in said(await jo.get("/auth/login"))
    page = await jo.get(f"/auth/login?organization={acme.organization.id}&next=/in")
    assert "Continue with the login of Acme" in said(page)
    form = {"organization": acme.organization.id, "next": "/in"}
    pressed = await jo.post("/auth/sso/start", form)
    asked = query_of(pressed.headers["location"])
    assert led_to(await acme.answer(jo, provider, asked)) == "/in"


async def test_a_login_that_is_required_stands_alone_with_the_way_out(
    provider: OwnProvider, tmp_path: Path
) -> None:
    """A form that leads nowhere else is none."""
    features = (Passkeys(), SecondFactors())
    acme = await SSOSite.make(tmp_path, provider.config(), features=features)
    url = f"/auth/login?organization={acme.organization.id}&next=/in"
    page = await acme.site.browser().get(url)
    assert 'name="email"' in page.text
    assert "data-scripted" in page.text
    assert "reach my company" not in said(page)
    await require(acme)
    page = await acme.site.browser().get(url)
    assert 'name="email"' not in page.text
    assert "data-scripted" not in page.text
    assert "Continue with the login of Acme" in said(page)
    (way,) = re.findall(r'<a href="([^"]*/sso/other-way[^"]*)"', page.text)
    quiet = await acme.site.browser().get(html.unescape(way))
    assert "Sign in without your company’s login" in said(quiet)
    assert 'name="next" value="/in"' in quiet.text
    # Who mistypes their address there gets it back with what was wrong.
    wrong = {"email": "boss", "break_glass": "1", "organization": acme.organization.id}
    again = await acme.site.browser().post("/auth/login", wrong)
    assert again.status_code == 400
    assert 'name="break_glass"' in again.text


async def test_where_only_the_companys_login_leads_in_no_mail_is_offered(acme: SSOSite) -> None:
    url = f"/auth/login?organization={acme.organization.id}"
    await acme.set_policy(methods=frozenset({"sso"}))
    page = await acme.site.browser().get(url)
    assert "Continue with the login of Acme" in said(page)
    assert 'name="email"' not in page.text
    # And the page behind the button does not lead back to where there is nothing else.
    start = f"/auth/sso/start?organization={acme.organization.id}"
    assert "Sign in another way" not in said(
        await acme.site.browser().get(start, headers=FROM_ELSEWHERE)
    )
    await acme.set_policy()
    assert "Sign in another way" in said(
        await acme.site.browser().get(start, headers=FROM_ELSEWHERE)
    )


async def test_without_mails_there_is_no_way_out(provider: OwnProvider, tmp_path: Path) -> None:
    features = [Passkeys(), SecondFactors(), Organizations(), SSO(unsafe_loopback=True)]
    acme = await SSOSite.make(tmp_path, provider.config(), all_features=features)
    boss = await acme.site.passwordless.people.create("boss@acme.example")
    await add_app(acme.site, boss.id)
    await acme.floor.members.put(acme.organization.id, boss.id)
    await acme.floor.connections.mark_tested(acme.connection.id)
    await acme.set_policy(sso="required", break_glass=frozenset({boss.email}))
    for path in ("/auth/login", "/auth/sso/start"):
        url = f"{path}?organization={acme.organization.id}"
        page = await acme.site.browser().get(url, headers=FROM_ELSEWHERE)
        assert page.status_code == 200
        assert "other-way" not in page.text


async def test_an_organization_without_a_login_has_no_button(acme: SSOSite) -> None:
    await acme.floor.connections.disable(acme.connection.id)
    page = await acme.site.browser().get(f"/auth/login?organization={acme.organization.id}")
    assert "login of Acme" not in said(page)


async def test_where_no_mails_are_offered_an_address_is_asked_for(
    provider: OwnProvider, tmp_path: Path
) -> None:
    features = [Passkeys(), Organizations(), SSO(unsafe_loopback=True)]
    acme = await SSOSite.make(tmp_path, provider.config(), all_features=features)
    jo = acme.site.browser()
    assert 'name="company_email"' in (await jo.get("/auth/login")).text
    answer = await jo.post("/auth/login", {"company_email": "jo@acme.example", "next": "/in"})
    assert urlsplit(led_to(answer)).path == "/auth/sso/start"
    assert "jo@" not in led_to(answer)
    for email in ("jo@elsewhere.example", "no address", ""):
        refused = await jo.post("/auth/login", {"company_email": email})
        assert refused.status_code == 400
        assert "There is no company login for this address here." in said(refused)


async def test_a_last_passkey_may_go_where_the_companys_login_lets_its_owner_in(
    tmp_path: Path, provider: OwnProvider
) -> None:
    features = [Passkeys(), Organizations(), SSO(unsafe_loopback=True)]
    acme = await SSOSite.make(tmp_path, provider.config(), all_features=features)
    people, offers = acme.site.passwordless.people, acme.site.passwordless._kit.offers
    boss = await people.create("boss@acme.example")
    kim = await people.create("kim@elsewhere.example")
    member = await people.create("member@elsewhere.example")
    await acme.floor.members.put(acme.organization.id, member.id)
    assert not await offers.is_only_way(boss.id, "passkey")
    assert not await offers.is_only_way(member.id, "passkey")
    assert await offers.is_only_way(kim.id, "passkey")
    await acme.floor.connections.disable(acme.connection.id)
    assert await offers.is_only_way(boss.id, "passkey")

"""The login page leads to the company's login."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pwless_middleware import Organizations, Passkeys
from pwless_middleware.features.sso.options import SSO
from tests.features.sso.sites import SSOSite, query_of
from tests.identity_providers.own_oidc import OwnProvider
from tests.support import led_to, said

pytestmark = pytest.mark.anyio


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

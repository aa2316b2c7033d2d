"""What a login that enters an organization is shown and mailed: under its name, in its language."""

from __future__ import annotations

import pytest

from pwless_middleware import EmailLogin, Mounted
from pwless_middleware.core.brand import Brand
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.organization_looks import OrganizationLook
from pwless_middleware.web.kit import Kit
from tests.features.trial.test_entering import Doors
from tests.support import Site, make_site

pytestmark = pytest.mark.anyio

UMBRELLA = OrganizationLook("org_u", Brand("Umbrella", color="#b00020"), "de")


async def look_of(key: str) -> OrganizationLook | None:
    return UMBRELLA if key in ("org_u", "umbrella") else None


def make_umbrella() -> Site:
    features = [EmailLogin(), Doors("org_u")]
    site = make_site(features=features, brand=Brand("Example"))
    site.passwordless._kit.looks.bind(look_of)
    return site


async def test_the_login_page_is_the_organizations_by_its_id_or_the_hosts_key() -> None:
    jo = make_umbrella().browser()
    for key in ("org_u", "umbrella"):
        page = await jo.get(f"/auth/login?organization={key}")
        assert "Bei Umbrella anmelden" in page.text
        assert '<input type="hidden" name="organization" value="org_u">' in page.text
    for url in ("/auth/login", "/auth/login?organization=other"):
        page = await jo.get(url)
        assert "Umbrella" not in page.text
        assert page.headers["content-language"] == "en"


async def test_who_has_chosen_a_language_reads_the_organizations_pages_in_it() -> None:
    jo = make_umbrella().browser(cookies={"pwless-language": "en"})
    page = await jo.get("/auth/login?organization=org_u")
    assert "Sign in to Umbrella" in page.text


async def test_the_mail_and_the_page_that_waits_for_its_code_are_the_organizations() -> None:
    site = make_umbrella()
    jo = site.browser()
    await jo.post("/auth/login", {"email": "jo@example.com", "organization": "umbrella"})
    page = await jo.get("/auth/verify")
    assert "· Umbrella</title>" in page.text
    mail = site.mail("jo@example.com")
    assert "Umbrella" in mail.subject
    assert "Umbrella" in mail.text
    assert "Example" not in mail.text
    again = await jo.get("/auth/login?another")
    assert '<input type="hidden" name="organization" value="org_u">' in again.text
    assert "Umbrella" in again.text
    await jo.type_code(mail.code)
    assert await jo.who() == "jo@example.com"
    assert site.inner.scope["state"]["session"].organization == "org_u"


async def test_the_next_mail_of_the_same_worker_is_the_deployments() -> None:
    site = make_umbrella()
    jo = site.browser()
    await jo.post("/auth/login", {"email": "jo@example.com", "organization": "org_u"})
    await jo.ask("bo@example.com")
    assert "Umbrella" not in site.mail("bo@example.com").text


def test_no_other_feature_says_how_organizations_look() -> None:
    class Forged:
        def mount(self, kit: Kit) -> Mounted:
            return Mounted(looks=look_of)

    with pytest.raises(ConfigError, match="Forged says which organization"):
        make_site(features=[EmailLogin(), Forged()])

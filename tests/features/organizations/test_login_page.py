"""The login page of an organization: its look, the ways in that it has, and who is signed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import Brand, Kit, Mounted, Passkeys
from tests.features.organizations.scene import (
    JO,
    make_organization,
    make_scene,
    place_of,
    sign_in_to,
)
from tests.features.test_step_up import fields_of
from tests.organizations import add_connection, floor_of, set_policy
from tests.support import Site, led_to, said

pytestmark = pytest.mark.anyio


class Provider:
    """Prove who somebody is by their company's login, as far as the rules can see."""

    def mount(self, kit: Kit) -> Mounted:
        return Mounted(proves=("sso",))


async def test_it_has_the_organizations_name_logo_color_and_language(tmp_path: Path) -> None:
    site = make_scene(tmp_path, brand=Brand("Example", logo="/example.svg", color="#123456"))
    organizations = floor_of(site).organizations
    acme = await organizations.create("Acme", logo="/acme.svg", color="#b00020", language="de")
    plain = await organizations.create("Plain")
    jo = site.browser()
    page = await jo.get(f"/auth/login?organization={acme.id}")
    assert "Bei Acme anmelden" in page.text
    assert '<img src="/acme.svg" alt="Acme">' in page.text
    assert "/auth/static/brand-b00020." in page.text
    page = await jo.get(f"/auth/login?organization={plain.id}")
    assert "Sign in to Plain" in page.text
    assert '<img src="/example.svg" alt="Plain">' in page.text
    assert "/auth/static/brand-123456." in page.text
    await organizations.change(plain.id, seen=1, name="Renamed")
    assert "Sign in to Renamed" in (await jo.get(f"/auth/login?organization={plain.id}")).text


@pytest.mark.parametrize(
    ("methods", "email", "passkey"),
    [(["email", "passkey"], True, True), (["passkey"], False, True), (["email"], True, False)],
    ids=["both", "passkey", "email"],
)
async def test_it_offers_the_ways_in_that_the_organization_has(
    tmp_path: Path, methods: list[str], email: bool, passkey: bool
) -> None:
    site = make_scene(tmp_path, Passkeys())
    acme = await make_organization(site, "Acme", methods=frozenset(methods))
    page = (await site.browser().get(f"/auth/login?organization={acme.id}")).text
    assert ('name="email"' in page) is email
    assert ("data-scripted" in page) is passkey
    everywhere = (await site.browser().get("/auth/login")).text
    assert 'name="email"' in everywhere
    assert "data-scripted" in everywhere


async def test_no_mail_goes_out_where_none_could_lead_in(tmp_path: Path) -> None:
    site = make_scene(tmp_path, Passkeys())
    acme = await make_organization(
        site, "Acme", domain="acme.example", methods=frozenset({"passkey"})
    )
    for form in ({"email": JO}, {"email": "x@other.example", "organization": acme.id}):
        answer = await site.browser().post("/auth/login", form)
        assert answer.status_code == 403
        assert "You cannot sign in this way here." in said(answer)
    assert site.outbox.messages == []
    assert (await site.browser().ask("x@other.example")).status_code == 303


async def test_an_address_leads_to_the_company_login_where_mails_are_no_way_in(
    tmp_path: Path,
) -> None:
    site = make_scene(tmp_path, Provider())
    acme = await make_organization(
        site, "Acme", domain="acme.example", methods=frozenset({"sso", "passkey"})
    )
    answer = await site.browser().ask(JO)
    assert answer.status_code == 403  # there is no connection yet
    await add_connection(floor_of(site), acme.id)
    page = await site.browser().get(f"/auth/login?organization={acme.id}")
    assert 'name="email"' in page.text
    answer = await site.browser().ask(JO, next="/reports")
    assert led_to(answer).startswith(f"/auth/sso/start?organization={acme.id}&hint=")
    assert led_to(answer).endswith("&next=%2Freports")
    assert JO not in led_to(answer)
    assert site.outbox.messages == []


async def test_who_is_signed_in_elsewhere_goes_on_by_a_switch(tmp_path: Path) -> None:
    site = make_scene(tmp_path)
    acme, beta = [await make_organization(site, name, JO) for name in ("Acme", "Beta")]
    jo = await sign_in_to(site, JO, acme.id)
    url = f"/auth/login?organization={beta.id}&next=/reports"
    action, fields = fields_of(await jo.get(url), "Continue to Beta")
    assert led_to(await jo.post(action, fields)) == "/reports"
    assert await place_of(site, jo) == "Beta"
    page = await jo.get(url)
    assert "Continue to Beta" not in page.text
    assert 'href="/reports"' in page.text


async def test_a_policy_that_is_set_holds_for_the_next_page(tmp_path: Path) -> None:
    site: Site = make_scene(tmp_path, Passkeys())
    acme = await make_organization(site, "Acme")
    url = f"/auth/login?organization={acme.id}"
    assert 'name="email"' in (await site.browser().get(url)).text
    await set_policy(floor_of(site), acme.id, methods=frozenset({"passkey"}))
    assert 'name="email"' not in (await site.browser().get(url)).text


async def test_a_name_that_was_pasted_is_one_that_pages_can_be_written_under(
    tmp_path: Path,
) -> None:
    site = make_scene(tmp_path)
    acme = await make_organization(site, "Acme\u00a0GmbH")
    page = await site.browser().get(f"/auth/login?organization={acme.id}")
    assert page.status_code == 200
    assert "· Acme GmbH</title>" in page.text

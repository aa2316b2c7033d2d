"""A session changes to another organization by that one's rules (security rule 55)."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import SecondFactors
from tests.features.organizations.scene import (
    JO,
    PATH,
    Company,
    add_member,
    make_organization,
    make_scene,
    place_of,
    sign_in_to,
)
from tests.features.second_factors.people import confirm_by_mail
from tests.organizations import add_app, add_connection, floor_of, set_policy
from tests.support import Browser, Site, led_to, said

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_scene(tmp_path)


async def enter(browser: Browser, organization: str, next: str = "") -> str:
    """Press the button of an organization, and return where that leads; `` for an error."""
    form = {"organization": organization, **({"next": next} if next else {})}
    answer = await browser.post(f"{PATH}/enter", form)
    return led_to(answer) if answer.status_code == 303 else ""


async def test_the_page_lists_them_and_switches(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta")
    await add_member(site, beta.id, JO, role="auditor")
    await make_organization(site, "Gamma")
    jo = await sign_in_to(site, JO, acme.id)
    page = said(await jo.get(PATH))
    assert "Acme Signed in here" in page
    assert "Your role: auditor" in page
    assert "Gamma" not in page
    first = jo.cookie()
    assert await enter(jo, beta.id, "/reports") == "/reports"
    assert await place_of(site, jo) == "Beta"
    assert jo.cookie() != first
    thief = site.browser(cookies={jo.cookie_name(): first or ""})
    assert await thief.who() is None
    assert site.sessions == 1


async def test_nobody_switches_to_an_organization_of_others(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta", domain="beta.example", join="domain")
    jo = await sign_in_to(site, JO, acme.id)
    for wanted in (beta.id, "org_AhVYWQw2o6mzunDOx_bV4A", "", "\x00", "x" * 500):
        answer = await jo.post(f"{PATH}/enter", {"organization": wanted})
        assert answer.status_code == 403, wanted
        assert await place_of(site, jo) == "Acme"


async def test_next_is_a_path_of_ours(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta", JO)
    jo = await sign_in_to(site, JO, acme.id)
    assert await enter(jo, beta.id, "https://evil.example/") == "/"


async def test_the_weaker_ones_session_does_not_enter_the_stricter_one(tmp_path: Path) -> None:
    site = make_scene(tmp_path, SecondFactors())
    weak = await make_organization(site, "Weak", JO)
    strict = await make_organization(site, "Strict", JO, mfa="required")
    jo = await sign_in_to(site, JO, weak.id)
    assert await enter(jo, strict.id) == "/auth/step/second-factor/new"
    assert await place_of(site, jo) == "Weak"
    assert site.sessions == 1
    page = await jo.get(led_to(await jo.get("/auth/step/second-factor/new")))
    assert "· Strict</title>" in page.text


async def test_what_the_weaker_ones_provider_says_is_no_second_factor_in_the_stricter_one(
    tmp_path: Path,
) -> None:
    site = make_scene(tmp_path, SecondFactors(), Company())
    weak = await make_organization(site, "Weak")
    connection = await add_connection(floor_of(site), weak.id)
    strict = await make_organization(site, "Strict", mfa="required")
    user_id = await add_member(site, strict.id, JO)
    await floor_of(site).members.put(weak.id, user_id)
    await add_app(site, user_id)
    jo = site.browser()
    form = {"connection": connection.id, "email": JO, "organization": weak.id}
    assert (await jo.post("/auth/company", form)).status_code == 303
    assert (await confirm_by_mail(jo, JO)).status_code == 303
    assert await place_of(site, jo) == "Weak"
    assert site.inner.scope["state"]["session"].strength == "second_factor"
    assert await enter(jo, strict.id) == "/auth/step/second-factor"
    assert await place_of(site, jo) == "Weak"


async def test_a_way_in_that_it_does_not_have_is_none_by_switching(site: Site) -> None:
    weak = await make_organization(site, "Weak", JO)
    strict = await make_organization(site, "Strict", JO, methods=frozenset({"passkey"}))
    jo = await sign_in_to(site, JO, weak.id)
    answer = await jo.post(f"{PATH}/enter", {"organization": strict.id})
    assert answer.status_code == 403
    assert await place_of(site, jo) == "Weak"


async def test_a_session_lives_no_longer_than_the_stricter_one_has_it(site: Site) -> None:
    weak = await make_organization(site, "Weak", JO)
    strict = await make_organization(site, "Strict", JO, absolute=3600, idle=600)
    jo = await sign_in_to(site, JO, weak.id)
    await enter(jo, strict.id)
    await place_of(site, jo)
    session = site.inner.scope["state"]["session"]
    assert (session.expires_at, session.idle) == (site.clock.now + 3600, 600)
    await enter(jo, weak.id)  # back again, it gains nothing
    await place_of(site, jo)
    assert site.inner.scope["state"]["session"].expires_at == session.expires_at


async def test_a_switch_is_none_by_get_and_none_from_another_site(site: Site) -> None:
    weak = await make_organization(site, "Weak", JO)
    other = await make_organization(site, "Other", JO)
    jo = await sign_in_to(site, JO, weak.id)
    assert (await jo.get(f"{PATH}/enter?organization={other.id}")).status_code == 405
    foreign = {"origin": "https://evil.example"}
    answer = await jo.post(f"{PATH}/enter", {"organization": other.id}, headers=foreign)
    assert answer.status_code == 403
    assert await place_of(site, jo) == "Weak"


async def test_what_is_open_to_an_address_is_offered_and_joined(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    owner = await make_organization(site, "Owner", domain="acme.example", join="domain")
    jo = await sign_in_to(site, JO, acme.id)
    assert "Owner Open to your email address" in said(await jo.get(PATH))
    assert await enter(jo, owner.id) == "/"
    assert await place_of(site, jo) == "Owner"


async def test_a_changed_role_is_the_apps_with_the_next_request(site: Site) -> None:
    acme = await make_organization(site, "Acme")
    user_id = await add_member(site, acme.id, JO, role="reader")
    jo = await sign_in_to(site, JO)
    await jo.get("/private")
    await floor_of(site).members.set_role(acme.id, user_id, "admin")
    await jo.get("/private")
    assert site.inner.scope["state"]["user"].role == "admin"


async def test_a_changed_name_and_policy_are_the_apps_with_the_next_request(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    jo = await sign_in_to(site, JO)
    assert await place_of(site, jo) == "Acme"
    await set_policy(floor_of(site), acme.id, mfa="optional")
    await jo.get("/private")
    assert site.inner.scope["state"]["organization"].policy.mfa == "optional"

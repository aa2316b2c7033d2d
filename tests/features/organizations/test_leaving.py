"""Who leaves an organization, is removed or switched off, is out of it at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pwless_middleware.errors import StoreError
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from tests.breakable_store import BreakableStore
from tests.features.organizations.scene import (
    BO,
    JO,
    PATH,
    add_member,
    make_organization,
    make_scene,
    place_of,
    sign_in_to,
)
from tests.organizations import floor_of
from tests.support import Site, led_to, said

pytestmark = pytest.mark.anyio


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_scene(tmp_path)


async def test_who_leaves_is_signed_out_of_it_everywhere_and_nowhere_else(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta", JO)
    phone, desk = await sign_in_to(site, JO, acme.id), await sign_in_to(site, JO, acme.id)
    other = await sign_in_to(site, JO, beta.id)
    page = await desk.get(f"{PATH}/leave?organization={acme.id}")
    assert "Leave Acme?" in said(page)
    assert await place_of(site, desk) == "Acme"  # to look changes nothing
    answer = await desk.post(f"{PATH}/leave", {"organization": acme.id})
    assert led_to(answer) == "/auth/login"
    assert answer.headers["clear-site-data"] == '"cache"'
    assert desk.cookie() is None
    assert await phone.who() is None
    assert await place_of(site, other) == "Beta"
    assert await floor_of(site).members.list(acme.id) == []


async def test_who_leaves_another_than_the_current_one_goes_on(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta", JO)
    jo = await sign_in_to(site, JO, acme.id)
    answer = await jo.post(f"{PATH}/leave", {"organization": beta.id})
    assert led_to(answer) == f"{PATH}?done=left"
    assert "no longer a member of it" in said(await jo.get(led_to(answer)))
    assert await place_of(site, jo) == "Acme"


async def test_nobody_leaves_for_somebody_else_or_without_a_fresh_proof(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    beta = await make_organization(site, "Beta", BO)
    jo = await sign_in_to(site, JO)
    for path in (f"?organization={beta.id}", ""):
        assert (await jo.get(f"{PATH}/leave{path}")).status_code == 404
    assert (await jo.post(f"{PATH}/leave", {"organization": beta.id})).status_code == 404
    assert len(await floor_of(site).members.list(beta.id)) == 1
    site.clock.advance(301)
    answer = await jo.post(f"{PATH}/leave", {"organization": acme.id})
    assert led_to(answer).startswith("/auth/step/up?within=300")
    assert len(await floor_of(site).members.list(acme.id)) == 1


@pytest.mark.parametrize("verb", ["remove", "deactivate"])
async def test_no_session_from_before_is_left_for_who_comes_back(verb: str, tmp_path: Path) -> None:
    """They were removed or switched off while the store was down, and nobody has done it again."""
    store = BreakableStore()
    site = make_scene(tmp_path, store=store)
    acme = await make_organization(site, "Acme", JO)
    floor, browser = floor_of(site), await sign_in_to(site, JO)
    assert await place_of(site, browser) == "Acme"
    user_id = site.inner.scope["state"]["user"].id
    store.is_down = True
    with pytest.raises(StoreError):
        await getattr(floor.members, verb)(acme.id, user_id)
    store.is_down = False
    await floor.members.put(acme.id, user_id)
    site.forget_sessions()  # as every process does in time
    assert await browser.who() is None


@pytest.mark.parametrize("verb", ["remove", "deactivate"])
async def test_who_is_removed_is_out_in_every_process(tmp_path: Path, verb: str) -> None:
    site, other = make_scene(tmp_path, store=None), make_scene(tmp_path, store=None)
    acme = await make_organization(site, "Acme")
    user_id = await add_member(site, acme.id, JO)
    jo = await sign_in_to(site, JO)
    elsewhere = other.browser(cookies=dict(jo.cookies))
    assert await place_of(other, elsewhere) == "Acme"
    floor: OrganizationFloor = floor_of(site)
    await getattr(floor.members, verb)(acme.id, user_id)
    assert await jo.who() is None
    ends = asyncio.get_running_loop().time() + 0.1
    while await elsewhere.who() is not None:
        assert asyncio.get_running_loop().time() < ends


async def test_a_deleted_organization_has_no_sessions(site: Site) -> None:
    acme = await make_organization(site, "Acme", JO)
    jo = await sign_in_to(site, JO)
    assert await place_of(site, jo) == "Acme"
    await floor_of(site).organizations.delete(acme.id)
    assert await jo.who() is None
    assert await place_of(site, await sign_in_to(site, JO)) is None

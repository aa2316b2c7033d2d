"""A person's accounts at providers: shown to them, and unlinked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import Passkeys
from tests.breakable_store import BreakableStore
from tests.features.passkeys.authenticator import Authenticator
from tests.features.passkeys.people import make_passkey
from tests.features.sso.social.people import SIGNS_IN, Visitor, social_site
from tests.own_account import change, press_undo, signed_in
from tests.support import Browser, led_to

pytestmark = pytest.mark.anyio

PAGE = "/auth/account/linked"


async def ids_on(browser: Browser) -> list[str]:
    page = await browser.get(PAGE)
    assert page.status_code == 200, page.text
    return re.findall(r'name="id" value="([^"]+)"', page.text)


async def test_a_person_sees_and_unlinks_their_own(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo, kim = Visitor(site, provider), Visitor(site, provider)
        await jo.sign_in("1")
        await kim.sign_in("2", email="kim@acme.example", email_verified=True)
        page = await jo.browser.get(PAGE)
        assert "Acme" in page.text
        assert "jo@acme.example" in page.text
        assert "kim@acme.example" not in page.text
        (hers,) = await ids_on(kim.browser)
        await jo.browser.post(PAGE, {"id": hers})
        assert await ids_on(kim.browser) == [hers], "of somebody else"
        (his,) = await ids_on(jo.browser)
        other = Visitor(site, provider)
        await other.sign_in("1")
        done = await jo.browser.post(PAGE, {"id": his})
        assert led_to(done) == f"{PAGE}?done=unlinked"
        assert await ids_on(jo.browser) == []
        assert await jo.browser.who() == "jo@acme.example"
        assert await other.browser.who() is None, "nothing else had proven it"
        assert led_to(await jo.browser.post(PAGE, {"id": his})) == f"{PAGE}?done=unlinked"
        found = await site.passwordless.events.find(kind="identity.removed", limit=9)
        assert [one.event.details for one in found.events] == [{"connection": "acme"}]


async def test_one_stays_while_what_it_has_proven_cannot_be_ended(tmp_path: Path) -> None:
    """Else the sessions of whoever had linked it would live on, and nothing would tell of it."""
    store = BreakableStore()
    async with social_site(tmp_path, store=store) as (site, provider):
        jo, other = Visitor(site, provider), Visitor(site, provider)
        await jo.sign_in("1")
        await other.sign_in("1")
        (id,) = await ids_on(jo.browser)
        store.is_down = True
        assert (await jo.browser.post(PAGE, {"id": id})).status_code == 503
        store.is_down = False
        assert await ids_on(jo.browser) == [id]
        await jo.browser.post(PAGE, {"id": id})
        assert await other.browser.who() is None


async def test_unlinking_takes_a_fresh_proof(tmp_path: Path) -> None:
    async with social_site(tmp_path) as (site, provider):
        jo = Visitor(site, provider)
        await jo.sign_in()
        (id,) = await ids_on(jo.browser)
        site.clock.advance(301)
        asked = await jo.browser.post(PAGE, {"id": id})
        assert led_to(asked).startswith("/auth/step/up?")
        assert await ids_on(jo.browser) == [id]
        assert (await site.browser().get(PAGE)).status_code == 303


async def test_the_last_way_in_stays(tmp_path: Path) -> None:
    async with social_site(tmp_path, email=False) as (site, provider):
        jo = Visitor(site, provider)
        await jo.sign_in()
        assert await ids_on(jo.browser) == [], "no button"
        linked = site.passwordless._kit.repositories
        assert linked is not None
        (identity,) = await linked.identities.list((await jo.browser.get("/private")).json()["id"])
        from pwless_middleware.features.sso.social.mails import id_of

        refused = await jo.browser.post(PAGE, {"id": id_of(identity)})
        assert refused.status_code == 400
        assert "has to stay" in refused.text


async def test_what_a_person_has_lets_them_in_and_not_what_a_site_offers(tmp_path: Path) -> None:
    """Of two ways in that a person has, either can go; then the other one stays."""
    async with social_site(tmp_path, Passkeys(), email=False) as (site, provider):
        jo = Visitor(site, provider)
        await jo.sign_in()
        assert await ids_on(jo.browser) == [], "passkeys are offered, and they have none"
        assert (await make_passkey(jo.browser, Authenticator())).status_code == 201
        assert len(await ids_on(jo.browser)) == 1
        offers = site.passwordless._kit.offers
        jo_id = (await jo.browser.get("/private")).json()["id"]
        assert not await offers.is_only_way(jo_id, "passkey")
        repositories = site.passwordless._kit.repositories
        assert repositories is not None
        (linked,) = await repositories.identities.list(jo_id)
        await repositories.identities.remove(linked.connection, linked.subject)
        assert await offers.is_only_way(jo_id, "passkey")


async def test_what_was_linked_since_an_address_was_taken_goes_with_it(tmp_path: Path) -> None:
    """Who took an account over by its address could else come back by the provider."""
    async with social_site(tmp_path) as (site, provider):
        taken = await signed_in(site, "jo@example.com")
        await change(taken, "thief@acme.example")
        site.clock.advance(60)
        provider.claims = {}
        thief = Visitor(site, provider)
        times: dict[str, Any] = {"iat": site.clock.now, "exp": site.clock.now + 60}
        await thief.sign_in("1", email="thief@acme.example", email_verified=True, **times)
        assert await thief.browser.who() == "thief@acme.example"
        await press_undo(site.browser(), site.mail("jo@example.com").link)
        again = Visitor(site, provider)
        await again.sign_in("1", **SIGNS_IN, **times)
        assert await again.browser.who() != "jo@example.com"

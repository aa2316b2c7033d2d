"""Addresses that somebody else asks for: confirmed by the new one, undone by the old one.

Security rule 26: whoever has asked takes no account in silence.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from pwless_middleware import EmailLogin, MemoryStore, User
from pwless_middleware.core.addresses.address_request import CONFIRM_SECONDS
from pwless_middleware.errors import ConfigError, InvalidArgument, PersonNotFound, RateLimited
from pwless_middleware.features.email_login.python import EmailVerbs
from pwless_middleware.flows.people.address_requests import AGAIN_AFTER
from tests.own_account import JO, KIM, NEW, change, make_kept_site, press_undo, signed_in
from tests.support import ROOMY, Browser, Site, make_site, said, token_of

pytestmark = pytest.mark.anyio

CONFIRM = "/auth/account/address/confirm"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return make_kept_site(tmp_path, roomy=True)


def verbs_of(site: Site) -> EmailVerbs:
    return site.passwordless.verbs(EmailLogin)


async def ask(site: Site, email: str = NEW, who: str = JO, **more: Any) -> str:
    """Ask for an address, and return the link that it is sent."""
    people = site.passwordless.people
    id = (await people.create(who)).id
    await verbs_of(site).request_address(id, email, **more)
    await site.passwordless.deliveries.run_due()
    return site.mail(email).link or ""


async def press(browser: Browser, link: str) -> httpx.Response:
    """Open the page of a link that confirms, and press its button."""
    await browser.get(link)
    return await browser.post(CONFIRM, {"link_token": token_of(link)})


async def test_the_new_address_confirms_and_the_old_one_is_told(site: Site) -> None:
    jo = await signed_in(site)
    id = (await jo.get("/private")).json()["id"]
    link = await ask(site, by="server:backend")
    mail = site.mail(NEW)
    assert mail.subject == "Confirm this address for app.example.com"
    assert mail.code is None
    stranger = site.browser()
    page = await stranger.get(link)
    assert f"use {NEW} for an account" in said(page)
    assert JO not in page.text, "who has the old address is nobody's business"
    assert await jo.who() == JO, "a GET changes nothing"
    done = await press(stranger, link)
    assert "This is your address now" in said(done)
    assert stranger.cookie() is None, "it signs nobody in"
    assert await jo.who() is None
    await site.passwordless.deliveries.run_due()
    assert site.mail(JO).subject == "Your address for app.example.com was changed"
    again = await signed_in(site, NEW)
    assert (await again.get("/private")).json()["id"] == id
    changed = site.passwordless.events.recent(kind="person.address_changed")[0]
    assert (changed.by, changed.user_id) == ("server:backend", id)


async def test_the_old_address_undoes_it(site: Site) -> None:
    await signed_in(site)
    await press(site.browser(), await ask(site))
    await site.passwordless.deliveries.run_due()
    thief = await signed_in(site, NEW)
    undone = await press_undo(site.browser(), site.mail(JO).link)
    assert undone.status_code == 200
    assert await thief.who() is None
    assert await (await signed_in(site)).who() == JO


async def test_a_link_works_once_and_for_three_days(site: Site) -> None:
    link = await ask(site)
    results = await asyncio.gather(*(press(site.browser(), link) for _ in range(4)))
    assert sorted(one.status_code for one in results) == [200, 410, 410, 410]
    await press_undo(site.browser(), site.mail(JO).link)
    assert (await press(site.browser(), link)).status_code == 410, "undone is undone"
    site.clock.advance(AGAIN_AFTER)
    late = await ask(site)
    site.clock.advance(CONFIRM_SECONDS)
    assert (await press(site.browser(), late)).status_code == 410


async def test_a_later_request_voids_an_earlier_one_and_so_does_taking_it_back(
    site: Site,
) -> None:
    first = await ask(site)
    with pytest.raises(RateLimited):
        await ask(site)
    site.clock.advance(AGAIN_AFTER)
    second = await ask(site, "other@example.com")
    assert (await press(site.browser(), first)).status_code == 410
    id = await site.passwordless.people.id_of(JO)
    assert await verbs_of(site).withdraw_address(id, by="server:backend")
    assert not await verbs_of(site).withdraw_address(id)
    assert (await press(site.browser(), second)).status_code == 410
    person = await site.passwordless.people.find(id)
    assert person is not None
    assert person.email == JO


async def test_a_link_is_void_once_the_person_has_moved_is_disabled_or_gone(site: Site) -> None:
    jo = await signed_in(site)
    link = await ask(site)
    await change(jo, "moved@example.com")
    assert (await press(site.browser(), link)).status_code == 410
    kim = await ask(site, "kim2@example.com", KIM)
    await site.passwordless.people.disable(KIM)
    assert (await press(site.browser(), kim)).status_code == 410
    ann = await ask(site, "ann2@example.com", "ann@example.com")
    await site.passwordless.people.delete("ann@example.com")
    assert (await press(site.browser(), ann)).status_code == 410


async def test_an_address_that_became_somebody_else_s_is_not_taken(site: Site) -> None:
    link = await ask(site)
    await signed_in(site, NEW)
    done = await press(site.browser(), link)
    assert done.status_code == 400
    assert "belongs to another account" in said(done)


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 60])
async def test_what_is_no_handle_confirms_nothing(site: Site, token: str) -> None:
    await ask(site)
    browser = site.browser()
    assert (await browser.post(CONFIRM, {"link_token": token})).status_code == 410
    assert (await browser.get(CONFIRM)).status_code == 410


async def test_a_handle_of_another_kind_or_site_confirms_nothing(
    site: Site, tmp_path: Path
) -> None:
    jo = await signed_in(site)
    await change(jo)
    undo = site.mail(JO).link
    assert (await site.browser().get(f"{CONFIRM}?link_token={token_of(undo)}")).status_code == 410
    link = await ask(site, "third@example.com", NEW)
    foreign = await site.browser().post(
        CONFIRM, {"link_token": token_of(link)}, headers={"origin": "https://evil.example"}
    )
    assert foreign.status_code == 403


@pytest.mark.parametrize(
    ("email", "says"),
    [
        ("no address", "Enter one email address"),
        ("JO@example.com", "their address already"),
        (KIM, "another account"),
        ("x@elsewhere.example", "not on the list"),
    ],
)
async def test_what_cannot_be_theirs_is_refused(tmp_path: Path, email: str, says: str) -> None:
    features = [EmailLogin(allow=["*@example.com"], send_limits=ROOMY)]
    site = make_kept_site(tmp_path, features=features)
    await site.passwordless.people.create(KIM)
    jo = await site.passwordless.people.create(JO)
    with pytest.raises(InvalidArgument, match=says):
        await verbs_of(site).request_address(jo.id, email)
    assert site.outbox.messages == []
    await site.passwordless.people.disable(JO)
    with pytest.raises(InvalidArgument, match="Enable them first"):
        await verbs_of(site).request_address(jo.id, NEW)
    with pytest.raises(PersonNotFound):
        await verbs_of(site).request_address("nobody", NEW)


async def test_an_export_has_what_waits_and_a_deletion_leaves_nothing(site: Site) -> None:
    await ask(site)
    told = await site.passwordless.people.export(JO)
    assert [one["new"] for one in told["address_requests"]] == [NEW]  # type: ignore[attr-defined]
    await site.passwordless.people.delete(JO)
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    assert NEW not in str(await site.passwordless.people.list())


async def test_who_confirms_in_their_own_browser_is_signed_out_there(site: Site) -> None:
    jo = await signed_in(site)
    done = await press(jo, await ask(site))
    assert done.headers["clear-site-data"] == '"cache"'
    assert jo.cookie() is None


class Table:
    """A table of the host that changes addresses."""

    def __init__(self) -> None:
        self.emails = {"4711": JO}

    async def find(self, email: str) -> User | None:
        return next((User(id=i, email=e) for i, e in self.emails.items() if e == email), None)

    async def create(self, email: str) -> User | None:
        return None

    async def load(self, user_id: str) -> User | None:
        email = self.emails.get(user_id)
        return None if email is None else User(id=user_id, email=email)

    async def change_email(self, user_id: str, email: str) -> User | None:
        self.emails[user_id] = email
        return await self.load(user_id)


async def test_a_table_that_changes_addresses_is_told(tmp_path: Path) -> None:
    table = Table()
    site = make_kept_site(tmp_path, users=table, roomy=True)
    await verbs_of(site).request_address("4711", NEW)
    await site.passwordless.deliveries.run_due()
    assert table.emails["4711"] == JO
    assert (await press(site.browser(), site.mail(NEW).link or "")).status_code == 200
    assert table.emails["4711"] == NEW
    await site.passwordless.deliveries.run_due()
    await press_undo(site.browser(), site.mail(JO).link)
    assert table.emails["4711"] == JO


async def test_where_nothing_changes_addresses_it_says_what_to_add() -> None:
    site = make_site(store=MemoryStore())
    with pytest.raises(ConfigError, match="add database="):
        await site.passwordless.verbs(EmailLogin).request_address("x", NEW)

"""What a person takes along, and how they delete their account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pwless_middleware.errors import StoreError
from tests.own_account import (
    DELETE,
    EXPORT,
    JO,
    KIM,
    NEW,
    PROFILE,
    change,
    make_kept_site,
    press_undo,
    signed_in,
)
from tests.support import led_to, said

pytestmark = pytest.mark.anyio
SURE = {"sure": "yes"}


async def test_the_export_is_a_file_with_everything(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await jo.post(PROFILE, {"name": "Jo", "language": "de"})
    await change(jo)
    answer = await jo.get(EXPORT)
    assert answer.headers["content-disposition"] == 'attachment; filename="account.json"'
    told = json.loads(answer.text)
    assert (told["person"]["email"], told["person"]["name"]) == (NEW, "Jo")
    assert [one["old"] for one in told["address_changes"]] == [JO]
    assert [one["email"] for one in told["sessions"]] == [NEW]
    assert "person.address_changed" in {one["kind"] for one in told["events"]}


async def test_export_and_deletion_ask_for_a_fresh_proof(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    site.clock.advance(301)
    for path in (EXPORT, DELETE):
        assert led_to(await jo.get(path)).startswith("/auth/step/up?within=300")
    assert led_to(await jo.post(DELETE, SURE)).startswith("/auth/step/up?within=300")
    assert await jo.who() == JO


async def test_who_deletes_their_account_is_asked_once_more_and_gone(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo, phone, kim = await signed_in(site), await signed_in(site), await signed_in(site, KIM)
    id = (await jo.get("/private")).json()["id"]
    page = await jo.get(DELETE)
    assert "nobody can bring it back" in said(page)
    unsure = await jo.post(DELETE, {})
    assert (unsure.status_code, await phone.who()) == (400, JO)
    done = await jo.post(DELETE, SURE)
    assert led_to(done) == "/auth/logout?done=deleted"
    assert done.headers["clear-site-data"] == '"cache"'
    assert jo.cookie() is None
    assert "Your account is deleted" in said(await jo.get(led_to(done)))
    assert await phone.who() is None
    assert await kim.who() == KIM
    told = site.mail(JO)
    assert (told.subject, told.link) == ("Your account with app.example.com was deleted", None)
    site.clock.advance(60)
    again = await signed_in(site)
    assert (await again.get("/private")).json()["id"] != id


async def test_a_deletion_that_did_not_come_about_is_not_told(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    people = site.passwordless.people
    assert people is not None
    whole = people.delete

    async def fail(who: str, *, by: str = "python") -> None:
        raise OSError("the machine stops here")

    people.delete = fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="stops here"):
        await jo.post(DELETE, SURE)
    people.delete = whole  # type: ignore[method-assign]
    await site.passwordless.deliveries.run_due()
    site.clock.advance(120)
    await site.passwordless.deliveries.run_due()
    assert [mail.subject for mail in site.outbox.messages] == ["Sign in to app.example.com"]
    assert await jo.who() == JO


async def test_a_deletion_that_was_cut_off_halfway_is_done_to_its_end(tmp_path: Path) -> None:
    """Security rule 70: the person can sign in no more, and so not ask for it again."""
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    id = (await jo.get("/private")).json()["id"]
    people, run_due = site.passwordless.people, site.passwordless.deliveries.run_due
    rows = people._people
    whole = rows.delete

    async def fail(user_id: str, **more: object) -> bool:
        raise StoreError("the disk is full")

    rows.delete = fail  # type: ignore[method-assign]
    assert (await jo.post(DELETE, SURE)).status_code == 503
    assert await jo.who() is None
    await run_due()
    site.clock.advance(61)
    await run_due()
    left = await people.find(id)
    assert left is not None
    assert left.is_disabled
    rows.delete = whole  # type: ignore[method-assign]
    site.clock.advance(61)
    await run_due()
    assert await people.find(id) is None
    assert site.mail(JO).subject == "Your account with app.example.com was deleted"
    assert await (await signed_in(site, JO)).who() == JO, "the address is free"


async def test_who_is_disabled_by_an_operator_is_not_deleted_for_it(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    people, run_due = site.passwordless.people, site.passwordless.deliveries.run_due
    whole = people.delete

    async def fail(who: str, *, by: str = "python") -> None:
        raise StoreError("the disk is full")

    people.delete = fail  # type: ignore[method-assign]
    assert (await jo.post(DELETE, SURE)).status_code == 503
    people.delete = whole  # type: ignore[method-assign]
    site.clock.advance(120)
    await run_due()
    await people.disable(JO)
    await run_due()
    assert await people.find(JO) is not None


async def test_what_was_deleted_is_given_back_by_no_link(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await change(jo)
    link = site.mail(JO).link
    await jo.post(DELETE, SURE)
    assert (await press_undo(site.browser(), link)).status_code == 410
    assert await (await signed_in(site, JO)).who() == JO, "the address is free"


async def test_a_page_of_another_site_deletes_nothing(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    assert (await jo.post(DELETE, SURE, headers={"origin": "null"})).status_code == 403
    assert await jo.who() == JO

"""Attacks on the change of an address, and on what undoes it (security rule 26)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin, Kit, Mounted
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.address_change import AddressChange
from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.database.people.address_changes import SQLAddressChanges
from pwless_middleware.errors import DeliveryError, InvalidArgument, StoreError
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.flows.people.address_change_jobs import AddressChangeJobs
from pwless_middleware.stores.memory import MemoryStore
from tests.features.email_login.address_changes.test_pages import ChangingTable
from tests.own_account import (
    ADDRESS,
    JO,
    KIM,
    NEW,
    UNDO,
    ask_for,
    change,
    confirm,
    make_kept_site,
    press_undo,
    signed_in,
)
from tests.security.factor import RIGHT, Factor
from tests.support import Slow, led_to, make_site, said, token_of

pytestmark = pytest.mark.anyio


# --- who may confirm ---------------------------------------------------------------------------


async def test_another_session_or_browser_cannot_confirm(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    request_id = await ask_for(jo)
    code = site.mail(NEW).code
    other_person, other_session = await signed_in(site, KIM), await signed_in(site)
    flow = {jo.cookie_name("flow"): str(jo.cookie("flow"))}
    for other in (other_person, other_session):
        assert (await confirm(other, request_id, code)).status_code == 410
        other.cookies |= flow
        assert (await confirm(other, request_id, code)).status_code == 410
    without_flow = site.browser(cookies={jo.cookie_name(): str(jo.cookie())})
    assert (await confirm(without_flow, request_id, code)).status_code == 410
    assert await jo.who() == await other_session.who() == JO
    assert (await confirm(jo, request_id, code)).status_code == 303


async def test_a_code_for_an_address_signs_nobody_in_and_is_no_step_up(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    request_id = await ask_for(jo)
    code = site.mail(NEW).code
    thief = site.browser(cookies={jo.cookie_name("flow"): str(jo.cookie("flow"))})
    answer = await thief.post("/auth/verify", {"request_id": request_id, "code": code or ""})
    assert answer.status_code == 410
    form = {"method": "email", "request_id": request_id, "code": code or ""}
    assert (await jo.post("/auth/step/up", form)).status_code == 410


async def test_a_code_of_a_login_or_a_step_up_changes_no_address(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await jo.ask(NEW)
    page = await jo.get("/auth/verify")
    request_id = page.text.partition('name="request_id" value="')[2].partition('"')[0]
    assert (await confirm(jo, request_id, site.mail(NEW).code)).status_code == 410
    assert await jo.who() == JO


async def test_a_page_of_another_site_changes_and_undoes_nothing(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    foreign = {"origin": "https://evil.example"}
    request_id = await ask_for(jo)
    code = site.mail(NEW).code or ""
    for form in ({"email": KIM}, {"request_id": request_id, "code": code}):
        assert (await jo.post(ADDRESS, form, headers=foreign)).status_code == 403
    assert await jo.who() == JO
    await confirm(jo, request_id, code)
    form = {"link_token": token_of(site.mail(JO).link)}
    assert (await jo.post(UNDO, form, headers=foreign)).status_code == 403
    assert await jo.who() == NEW


# --- what nobody learns, and what nobody can do to others -----------------------------------------


async def test_the_answers_do_not_tell_whose_the_new_address_is(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    await signed_in(site, KIM)
    jo = await signed_in(site)
    told = []
    for email in (KIM, NEW):
        asked = await jo.post(ADDRESS, {"email": email})
        page = await jo.get(ADDRESS)
        refused = await confirm(jo, page.text.partition('value="')[2].partition('"')[0], "000000")
        shown = [said(one).replace(email, "_") for one in (page, refused)]
        told.append(
            (asked.status_code, led_to(asked), page.status_code, refused.status_code, shown)
        )
    assert told[0] == told[1]
    mail = site.mail(KIM)
    assert (mail.code, mail.link, mail.subject) == (
        None,
        None,
        "This address is in use at app.example.com",
    )
    assert JO not in mail.text + mail.html


async def test_a_guessed_code_does_not_move_an_account_onto_another_s_address(
    tmp_path: Path,
) -> None:
    """Not even the right one, which the email did not hold."""
    site = make_kept_site(tmp_path)
    await signed_in(site, KIM)
    jo = await signed_in(site)
    request_id = await ask_for(jo, KIM)
    answers = [await confirm(jo, request_id, f"{n:06d}") for n in range(6)]
    assert [one.status_code for one in answers] == [400] * 5 + [429]


async def test_asking_draws_on_the_budgets_of_the_address_and_the_client(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    statuses = [(await jo.post(ADDRESS, {"email": NEW})).status_code for _ in range(3)]
    assert statuses == [303, 303, 429]
    others = [await jo.post(ADDRESS, {"email": f"a{n}@example.com"}) for n in range(20)]
    assert others[-1].status_code == 429, "20 a minute for one client"


# --- what is void afterwards ----------------------------------------------------------------------


async def test_all_other_sessions_and_what_was_sent_to_the_old_address_end(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo, phone, thief = await signed_in(site), await signed_in(site), site.browser()
    site.clock.advance(60)
    await thief.ask(JO)
    code = site.mail(JO).code
    await change(jo)
    assert await phone.who() is None
    refused = await thief.type_code(code)
    assert (refused.status_code, await thief.who()) == (403, None)
    assert "The account of this address was moved" in said(refused)
    assert await jo.who() == NEW


async def test_a_step_up_that_was_mailed_to_the_old_address_is_void(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await jo.post("/auth/step/up", {"method": "email"})
    old_code = site.mail(JO).code
    page = await jo.get("/auth/step/up")
    request_id = page.text.partition('name="request_id" value="')[2].partition('"')[0]
    await change(jo)
    form = {"method": "email", "request_id": request_id, "code": old_code or ""}
    assert (await jo.post("/auth/step/up", form)).status_code == 410


async def test_a_login_by_the_old_address_that_waits_for_a_step_is_void(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path, features=[EmailLogin(), Factor()])
    jo, thief = site.browser(), site.browser()
    word = {"secret": RIGHT}
    for browser in (jo, thief):
        await browser.sign_in(JO)  # it waits now
    assert (await jo.post("/auth/step/secret", word)).status_code == 303
    await change(jo)
    assert await jo.who() == NEW, "the factor was asked at the login, and counts"
    assert (await thief.post("/auth/step/secret", word)).status_code == 410
    assert await thief.who() is None


async def test_nobody_signs_up_with_the_old_address_before_it_can_no_longer_be_undone(
    tmp_path: Path,
) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    id = (await jo.get("/private")).json()["id"]
    await change(jo)
    site.clock.advance(3600)
    await jo.who()
    kim = await signed_in(site, KIM)
    request_id = await ask_for(kim, JO)
    mail = site.mail(JO)
    assert (mail.code, mail.subject) == (None, "This address is in use at app.example.com")
    assert (await confirm(kim, request_id, "000000")).status_code == 400
    site.clock.advance(72 * 3600)
    stranger = await signed_in(site, JO)
    assert (await stranger.get("/private")).json()["id"] != id, "they are somebody new"


# --- the handle that undoes -----------------------------------------------------------------------


async def test_a_handle_is_128_bits_and_a_mac_and_nobody_else_s_opens(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await change(jo)
    handle = token_of(site.mail(JO).link)
    data = unb64(handle)
    assert data is not None
    assert len(data) == 32
    changed = [bytes(b ^ (i == at) for i, b in enumerate(data)) for at in range(0, 32, 5)]
    for bad in ("", "x", b64(data[:31]), *map(b64, changed), handle + "A", str(jo.cookie())):
        assert (await jo.get(f"{UNDO}?link_token={bad}")).status_code == 410
        assert (await jo.post(UNDO, {"link_token": bad})).status_code == 410
    assert await jo.who() == NEW


async def test_two_handles_of_one_person_have_nothing_in_common(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await change(jo)
    first = token_of(site.mail(JO).link)
    await change(jo, "third@example.com")
    second = token_of(site.mail(NEW).link)
    assert not set(zip(first, second, strict=True)) <= {(a, a) for a in first}
    assert first[:8] != second[:8]
    assert first[-8:] != second[-8:]


async def test_a_link_works_once_for_page_and_button(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await change(jo)
    link = site.mail(JO).link
    assert (await press_undo(site.browser(), link)).status_code == 200
    back = await signed_in(site)
    assert (await press_undo(site.browser(), link)).status_code == 410
    assert await back.who() == JO


async def test_a_thief_who_changes_it_twice_shuts_nobody_out(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    thief = await signed_in(site)
    await change(thief, "evil1@example.com")
    await change(thief, "evil2@example.com")
    late, first = site.mail("evil1@example.com").link, site.mail(JO).link
    assert (await press_undo(site.browser(), first)).status_code == 200
    assert (await press_undo(site.browser(), late)).status_code == 410
    assert await thief.who() is None
    assert await (await signed_in(site)).who() == JO


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_the_queue_and_the_database_hold_no_handle(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await change(jo)
    handle = token_of(site.mail(JO).link)
    kept = everything_in(tmp_path)
    assert handle.encode() not in kept
    assert (unb64(handle) or b"") not in kept


# --- at once ------------------------------------------------------------------------------------


async def test_of_many_confirmations_at_once_one_changes_it(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    request_id = await ask_for(jo)
    code = site.mail(NEW).code
    tabs = [site.browser(cookies=jo.cookies) for _ in range(4)]
    answers = await asyncio.gather(*(confirm(tab, request_id, code) for tab in tabs))
    assert sum(one.status_code == 303 and "done=changed" in led_to(one) for one in answers) == 1
    assert len([mail for mail in site.outbox.messages if mail.subject.endswith("was changed")]) == 1


async def test_a_change_and_the_undo_of_the_one_before_at_once_leave_the_owner_in(
    tmp_path: Path,
) -> None:
    site = make_kept_site(tmp_path)
    thief = await signed_in(site)
    await change(thief, "evil1@example.com")
    link = site.mail(JO).link
    request_id = await ask_for(thief, "evil2@example.com")
    code = site.mail("evil2@example.com").code
    await asyncio.gather(
        confirm(thief, request_id, code), press_undo(site.browser(), link), return_exceptions=True
    )
    assert await thief.who() is None
    assert await (await signed_in(site)).who() == JO


# --- what does not depend on the process going on -------------------------------------------------


async def test_a_session_under_the_old_address_is_nobody_s_even_if_nothing_ended_it(
    tmp_path: Path,
) -> None:
    """One that began in the moment of the change, or that a process died before it ended."""
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    assert site.passwordless.database is not None
    user_id = (await jo.get("/private")).json()["id"]
    moved = AddressChange(b"1" * 16, user_id, Address(JO), Address(NEW), site.clock.now)
    assert await SQLAddressChanges(site.passwordless.database).change(moved)
    site.forget_sessions()
    assert await jo.who() is None
    assert (await jo.get(ADDRESS)).status_code == 303
    site.clock.advance(60)
    assert await (await signed_in(site, NEW)).who() == NEW


async def test_the_old_address_is_told_though_the_process_failed_after_the_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_kept_site(tmp_path)
    jo, phone = await signed_in(site), await signed_in(site)
    request_id = await ask_for(jo)

    async def fail(user_id: str, keep: str) -> int:
        raise StoreError("cut off here")

    with monkeypatch.context() as patch:
        patch.setattr(site.keeper, "revoke_others", fail)
        assert (await confirm(jo, request_id, site.mail(NEW).code)).status_code == 503
    assert site.sessions == 2
    site.clock.advance(5)
    await site.passwordless.deliveries.run_due()
    assert site.mail(JO).subject.endswith("was changed")
    assert site.sessions == 0
    assert await phone.who() is None
    assert await (await signed_in(site, NEW)).who() == NEW


async def test_an_undo_is_done_with_its_answer_however_late_the_queue_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its job does all of it once more; a thief must not have until then."""

    async def read_late(self: AddressChangeJobs, job: QueuedJob) -> None:
        raise DeliveryError("the queue is behind")

    monkeypatch.setattr(AddressChangeJobs, "read_undone", read_late)
    told: list[str] = []

    class Factors:
        def mount(self, kit: Kit) -> Mounted:
            return Mounted(on_address_undone=(self.take_back,))

        async def take_back(self, user_id: str, since: int) -> None:
            told.append(user_id)

    site = make_kept_site(tmp_path, features=[EmailLogin(), Factors()])
    thief = await signed_in(site)
    await change(thief, "evil1@example.com")
    assert site.sessions == 1
    assert (await press_undo(site.browser(), site.mail(JO).link)).status_code == 200
    assert site.sessions == 0
    assert len(told) == 1


async def test_a_change_of_a_host_s_table_that_was_under_way_at_the_undo_is_not_made(
    tmp_path: Path,
) -> None:
    """No transaction spans that table and the changes."""
    table, store = ChangingTable(), Slow(MemoryStore())
    site = make_site(store=store, database=f"sqlite:///{tmp_path}/pwless.db", users=table)
    thief = await signed_in(site)
    await change(thief, "evil1@example.com")
    link = site.mail(JO).link
    request_id = await ask_for(thief, "evil2@example.com")

    async def undo_now() -> None:
        del store.after["take"]
        assert (await press_undo(site.browser(), link)).status_code == 200
        assert table.users["u1"].email == JO

    store.after["take"] = undo_now
    await confirm(thief, request_id, site.mail("evil2@example.com").code)
    assert "take" not in store.after
    assert table.users["u1"].email == JO
    assert await thief.who() is None


async def test_an_address_that_is_not_served_gets_no_mail_and_the_page_is_the_same(
    tmp_path: Path,
) -> None:
    site = make_kept_site(tmp_path, features=[EmailLogin(allow=["*@example.com"])])
    jo = await signed_in(site)
    request_id = await ask_for(jo, "jo@elsewhere.example")
    assert [mail.to for mail in site.outbox.messages] == [JO]
    assert (await confirm(jo, request_id, "000000")).status_code == 400


async def test_an_invitation_takes_no_address_that_may_be_given_back(tmp_path: Path) -> None:
    """Else whoever has taken the account away, and may invite people, keeps its owner out."""
    site = make_kept_site(tmp_path)
    thief = await signed_in(site)
    await change(thief)
    link = site.mail(JO).link
    with pytest.raises(InvalidArgument):
        await site.passwordless.people.create(JO)
    assert (await site.passwordless.people.create(NEW)).email == NEW
    assert (await press_undo(site.browser(), link)).status_code == 200
    assert await (await signed_in(site)).who() == JO

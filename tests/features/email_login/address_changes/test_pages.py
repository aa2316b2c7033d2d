"""The pages on which people change their address, and on which that is undone."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import EmailLogin, Kit, Mounted, User
from tests.own_account import (
    ADDRESS,
    JO,
    NEW,
    PROFILE,
    UNDO,
    ask_for,
    change,
    confirm,
    make_kept_site,
    press_undo,
    signed_in,
)
from tests.support import Browser, led_to, make_site, said, wrong

pytestmark = pytest.mark.anyio


async def user_id(browser: Browser) -> str:
    return str((await browser.get("/private")).json()["id"])


async def test_an_address_is_changed_by_the_code_from_the_new_one(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    id, cookie = await user_id(jo), jo.cookie()
    request_id = await ask_for(jo, "New@Example.com")
    assert await jo.who() == JO, "until the code is typed, nothing changes"
    assert f"We’ve sent an email to {NEW}" in said(await jo.get(ADDRESS))
    assert site.mail(NEW).link is None
    done = await confirm(jo, request_id, site.mail(NEW).code)
    assert led_to(done) == f"{ADDRESS}?done=changed"
    assert "Your address is changed." in said(await jo.get(led_to(done)))
    assert (await jo.who(), await user_id(jo)) == (NEW, id)
    assert jo.cookie() != cookie
    copy = site.browser(cookies={jo.cookie_name(): str(cookie)})
    assert await copy.who() is None, "the session has a new id"
    again = await signed_in(site, NEW)
    assert await user_id(again) == id


async def test_a_wrong_code_is_counted_and_the_mail_can_be_sent_again(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    request_id = await ask_for(jo)
    code = site.mail(NEW).code
    refused = await confirm(jo, request_id, wrong(code))
    assert refused.status_code == 400
    assert "4 tries left" in said(refused)
    sent = await jo.post(ADDRESS, {"request_id": request_id})
    assert led_to(sent) == ADDRESS
    assert len(site.outbox.messages) == 3
    for n in range(1, 5):
        refused = await confirm(jo, request_id, wrong(code, n))
    assert "Too many wrong codes" in said(refused)
    assert (await confirm(jo, request_id, code)).status_code == 429
    assert await jo.who() == JO


@pytest.mark.parametrize("typed", ["", "jo", "a@b@c", JO, "JO@example.com "])
async def test_what_is_no_other_address_is_told_beside_the_field(
    tmp_path: Path, typed: str
) -> None:
    jo = await signed_in(make_kept_site(tmp_path))
    page = await jo.post(ADDRESS, {"email": typed})
    assert page.status_code == 400
    assert 'id="email-error" role="alert"' in page.text


async def test_a_code_that_has_expired_is_asked_for_anew(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    request_id = await ask_for(jo)
    site.clock.advance(301)
    page = await confirm(jo, request_id, site.mail(NEW).code)
    assert page.status_code == 410
    assert "Ask for a new one" in said(page)
    assert "Send a new email" in said(await jo.get(ADDRESS))
    assert led_to(await jo.post(ADDRESS, {"request_id": request_id})) == ADDRESS
    assert (await confirm(jo, request_id, site.mail(NEW).code)).status_code == 303


async def test_a_proof_that_is_old_is_asked_for_again_first(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    site.clock.advance(301)
    assert led_to(await jo.get(ADDRESS)).startswith("/auth/step/up?within=300")
    asked = await jo.post(ADDRESS, {"email": NEW})
    assert led_to(asked).startswith("/auth/step/up?within=300")
    assert led_to(asked).endswith("next=%2Fauth%2Faccount%2Faddress")
    assert len(site.outbox.messages) == 1


# --- undo --------------------------------------------------------------------------------------


async def test_the_old_address_is_told_and_undoes_it(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    id = await user_id(jo)
    await change(jo)
    told = site.mail(JO)
    assert told.subject.endswith("was changed")
    assert NEW not in told.text + told.html
    elsewhere = site.browser()
    page = await elsewhere.get(told.link or "")
    assert "Undo the change of address?" in said(page)
    assert (await jo.who(), len(site.outbox.messages)) == (NEW, 3), "looking changes nothing"
    done = await press_undo(elsewhere, told.link)
    assert "Your account has the address again" in said(done)
    assert await jo.who() is None
    assert [mail.to for mail in site.outbox.messages[3:]] == [JO, NEW]
    back = await signed_in(site, JO)
    assert await user_id(back) == id


async def test_a_browser_that_undoes_its_own_session_is_signed_out(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await change(jo)
    done = await press_undo(jo, site.mail(JO).link)
    assert done.headers["clear-site-data"] == '"cache"'
    assert jo.cookie() is None


async def test_who_presses_without_being_signed_in_as_them_stays_signed_in(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo, kim = await signed_in(site), await signed_in(site, "kim@example.com")
    await change(jo)
    await press_undo(kim, site.mail(JO).link)
    assert await kim.who() == "kim@example.com"


async def test_it_is_undone_for_72_hours(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path)
    jo = await signed_in(site)
    await change(jo)
    link = site.mail(JO).link
    site.clock.advance(72 * 3600)
    assert (await site.browser().get(link or "")).status_code == 410
    assert (await press_undo(site.browser(), link)).status_code == 410
    assert await jo.who() == NEW


class Factors:
    """Mount what takes back the factors that were added since."""

    def __init__(self) -> None:
        self.undone: list[tuple[str, int]] = []

    def mount(self, kit: Kit) -> Mounted:
        """Add it."""
        return Mounted(on_address_undone=(self.take_back,))

    async def take_back(self, user_id: str, since: int) -> None:
        """Note who it is for."""
        self.undone.append((user_id, since))


async def test_features_hear_of_an_undo_and_since_when_nothing_is_trusted(tmp_path: Path) -> None:
    factors = Factors()
    site = make_kept_site(tmp_path, features=[EmailLogin(), factors])
    jo = await signed_in(site)
    id = await user_id(jo)
    await change(jo)
    at = site.clock.now
    site.clock.advance(3600)
    await press_undo(site.browser(), site.mail(JO).link)
    assert set(factors.undone) == {(id, at)}


# --- where there is no such page -----------------------------------------------------------------


class Table:
    """A host's own table; it changes addresses, if `can_change` says so."""

    def __init__(self) -> None:
        self.users = {"u1": User(id="u1", email=JO)}

    async def find(self, email: str) -> User | None:
        return next((user for user in self.users.values() if user.email == email), None)

    async def create(self, email: str) -> User | None:
        return None

    async def load(self, user_id: str) -> User | None:
        return self.users.get(user_id)


class ChangingTable(Table):
    """A table that lets people change their address."""

    refuses = False

    async def change_email(self, user_id: str, email: str) -> User | None:
        if self.refuses or await self.find(email) is not None:
            return None
        self.users[user_id] = User(id=user_id, email=email)
        return self.users[user_id]


async def test_without_a_database_or_a_table_that_changes_there_is_no_such_page(
    tmp_path: Path,
) -> None:
    for site in (
        make_site(),
        make_site(users=ChangingTable()),
        make_kept_site(tmp_path, users=Table()),
    ):
        jo = await signed_in(site)
        assert (await jo.get(ADDRESS)).status_code == 404
        assert ADDRESS not in (await jo.get(PROFILE)).text
        assert (await jo.get(UNDO)).status_code == 404


async def test_a_table_that_changes_addresses_does_so_and_undoes_it(tmp_path: Path) -> None:
    table = ChangingTable()
    site = make_kept_site(tmp_path, users=table)
    jo = await signed_in(site)
    other = await signed_in(site)
    await change(jo)
    assert table.users["u1"].email == await jo.who() == NEW
    assert await other.who() is None
    await press_undo(site.browser(), site.mail(JO).link)
    assert table.users["u1"].email == JO
    assert await jo.who() is None


async def test_a_table_makes_nobody_of_an_address_that_may_be_given_back(tmp_path: Path) -> None:
    """Else the owner of an account that was taken away shuts the way back by signing in."""

    class Open(ChangingTable):
        async def create(self, email: str) -> User | None:
            self.users["u2"] = User(id="u2", email=email)
            return self.users["u2"]

    table = Open()
    site = make_kept_site(tmp_path, users=table, roomy=True)
    await change(await signed_in(site))
    link = site.mail(JO).link
    owner = site.browser()
    await owner.ask(JO)
    await owner.type_code(site.mail(JO).code)
    assert (await owner.who(), [*table.users]) == (None, ["u1"])
    await press_undo(owner, link)
    assert await (await signed_in(site)).who() == table.users["u1"].email == JO


async def test_a_table_is_not_led_back_by_a_later_link(tmp_path: Path) -> None:
    table = ChangingTable()
    site = make_kept_site(tmp_path, users=table)
    jo = await signed_in(site)
    await change(jo, "evil1@example.com")
    await change(jo, "evil2@example.com")
    link = site.mail("evil1@example.com").link
    await press_undo(site.browser(), site.mail(JO).link)
    assert table.users["u1"].email == JO
    late = await press_undo(site.browser(), link)
    assert (late.status_code, table.users["u1"].email) == (410, JO)


async def test_a_table_that_refuses_changes_nothing_and_nothing_is_told(tmp_path: Path) -> None:
    table = ChangingTable()
    site = make_kept_site(tmp_path, users=table)
    jo = await signed_in(site)
    request_id = await ask_for(jo)
    table.refuses = True
    page = await confirm(jo, request_id, site.mail(NEW).code)
    assert (page.status_code, await jo.who()) == (400, JO)
    site.clock.advance(120)
    await site.passwordless.deliveries.run_due()
    assert [mail.to for mail in site.outbox.messages] == [JO, NEW]

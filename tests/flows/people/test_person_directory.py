"""People of the database behind the login, where the host has no user table."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from pwless_middleware import EmailLogin, MemoryStore
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.address_change import UNDO_SECONDS, AddressChange
from pwless_middleware.core.events.event_counters import DAY
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.event_counters import SQLEventCounters
from pwless_middleware.database.memory.address_changes import MemoryAddressChanges
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople
from pwless_middleware.database.people.address_changes import SQLAddressChanges
from pwless_middleware.database.people.people import SQLPeople
from pwless_middleware.errors import ConfigError, PersonDisabled, StoreError
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.lifetime import Lifetime
from pwless_middleware.flows.people.last_seen import SEEN_SECONDS, LastSeen
from pwless_middleware.flows.people.person_directory import PersonDirectory
from pwless_middleware.flows.people.stable_users import StableUsers
from tests.support import START, Browser, Clock, Site, error_code, make_site

pytestmark = pytest.mark.anyio

JO = Address("jo@example.com")
KIM = Address("kim@example.com")
SALT = "q7Zk3vQ8sLw2Yt6Rb9Xn"


async def person_of(database: Database, email: Address = JO) -> Person:
    person = await SQLPeople(database).find_by_email(email)
    assert person is not None
    return person


async def signed_in(site: Site, email: str = JO) -> Browser:
    browser = site.browser()
    await browser.sign_in(email)
    return browser


async def id_of(browser: Browser) -> str | None:
    answer = await browser.get("/private")
    return answer.json()["id"] if answer.status_code == 200 else None


@pytest.mark.parametrize("salt", [None, SALT])
async def test_adding_a_database_signs_nobody_out_and_changes_no_id(
    database: Database, salt: str | None
) -> None:
    before = make_site(roomy=True, id_salt=salt)
    jo = await signed_in(before)
    id = await id_of(jo)
    shared: dict[str, Any] = {"store": before.store, "clock": before.clock}
    after = make_site(**shared, outbox=before.outbox, database=database, id_salt=salt, roomy=True)
    there = after.browser(cookies=dict(jo.cookies))
    assert await id_of(there) == id
    assert (await person_of(database)).id == id, "the session has made the row"
    assert await id_of(await signed_in(after)) == id
    assert await id_of(await signed_in(after, KIM)) == StableUsers(salt).id_of(KIM)


async def test_a_first_login_makes_the_person_and_is_told_as_new(database: Database) -> None:
    site = make_site(store=MemoryStore(), database=database, roomy=True)
    for is_new in (True, False):
        backend = site.backend()
        sent = (await backend.send("Jo@Example.com")).json()["auth_request_id"]
        done = (await backend.verify(sent, code=site.mail().code)).json()
        assert done["is_new_user"] is is_new
    person = await person_of(database)
    assert (person.created_at, person.seen_at, person.is_disabled) == (START, START, False)
    assert done["user_id"] == person.id
    assert [event.user_id for event in site.passwordless.events.recent(kind="user.created")] == [
        person.id
    ]


async def test_of_two_first_logins_at_once_one_makes_the_person(database: Database) -> None:
    site = make_site(store=MemoryStore(), database=database, roomy=True)
    browsers = [site.browser() for _ in range(3)]
    mails = []
    for browser in browsers:
        await browser.ask(JO)
        mails.append(site.mail())
    await asyncio.gather(
        *(browser.type_code(mail.code) for browser, mail in zip(browsers, mails, strict=True))
    )
    assert {await id_of(browser) for browser in browsers} == {(await person_of(database)).id}
    assert len(site.passwordless.events.recent(kind="user.created")) == 1


async def test_the_name_of_a_person_is_what_the_app_calls_them(database: Database) -> None:
    site = make_site(store=MemoryStore(), database=database)
    jo = await signed_in(site)
    assert site.inner.scopes == []
    await SQLPeople(database).set_profile((await person_of(database)).id, name="Jo Ü")
    await jo.get("/private")
    assert site.inner.scope["user"].display_name == "Jo Ü"


# --- ids that are not given twice ----------------------------------------------------------------


async def test_who_has_an_address_after_a_deletion_is_somebody_else(database: Database) -> None:
    site = make_site(store=MemoryStore(), database=database, roomy=True)
    jo = await signed_in(site)
    id = await id_of(jo)
    assert id is not None
    await SQLPeople(database).delete(id)
    site.forget_sessions()
    assert await id_of(jo) is None
    with pytest.raises(AssertionError):
        await person_of(database)
    again = await signed_in(site)
    assert await id_of(again) not in (None, id)
    assert await id_of(jo) is None, "nor does a session from before bring anything back"


async def test_an_address_that_was_given_up_leads_to_nobody_s_account(database: Database) -> None:
    """Its owner keeps account and session under the new one; the next owner is a new person."""
    site = make_site(store=MemoryStore(), database=database, roomy=True)
    jo = await signed_in(site)
    id = await id_of(jo)
    assert id is not None
    change = AddressChange(b"1" * 16, id, JO, KIM, START)
    assert await SQLAddressChanges(database).change(change)
    site.clock.advance(UNDO_SECONDS)  # until then it is reserved for its owner
    other = await signed_in(site)
    assert await id_of(other) not in (None, id)
    assert await id_of(await signed_in(site, KIM)) == id


async def test_a_session_makes_no_row_of_an_id_that_is_not_its_address_s(
    database: Database,
) -> None:
    before = make_site(id_salt=SALT)
    jo = await signed_in(before)
    after = make_site(store=before.store, clock=before.clock, database=database)
    assert await id_of(after.browser(cookies=jo.cookies)) is None
    assert await SQLPeople(database).list() == []


# --- disabled ------------------------------------------------------------------------------------


async def disabled_jo(database: Database) -> None:
    people = SQLPeople(database)
    await people.add(Person(StableUsers().id_of(JO), JO, created_at=START))
    await people.disable(StableUsers().id_of(JO), at=START)


async def test_nobody_gets_a_mail_as_a_disabled_person_and_strangers_see_no_difference(
    database: Database,
) -> None:
    await disabled_jo(database)
    site = make_site(store=MemoryStore(), database=database)
    answers = []
    for email in (JO, KIM):
        browser = site.browser()
        asked = await browser.ask(email)
        tried = await browser.type_code("000000")
        answers.append((asked.status_code, asked.headers["location"], tried.status_code))
    assert answers[0] == answers[1]
    assert [message.to for message in site.outbox.messages] == [KIM]
    [event] = site.passwordless.events.recent(kind="mail.suppressed")
    assert event.reason == "disabled"


async def test_a_right_code_of_a_person_who_is_disabled_meanwhile_is_a_wrong_one(
    database: Database,
) -> None:
    site = make_site(store=MemoryStore(), database=database)
    backend = site.backend()
    sent = (await backend.send(JO)).json()["auth_request_id"]
    wrong = await backend.verify(sent, code="000000")
    await disabled_jo(database)
    right = await backend.verify(sent, code=site.mail().code)
    assert (right.status_code, error_code(right)) == (wrong.status_code, error_code(wrong))
    assert site.sessions == 0
    [event] = site.passwordless.events.recent(kind="login.refused")
    assert event.reason == "disabled"


async def test_a_sign_up_that_finds_a_disabled_person_makes_nobody(database: Database) -> None:
    """They were made and disabled between the look and the row."""
    directory = PersonDirectory(
        SQLPeople(database), StableUsers(), SQLAddressChanges(database), lambda: START
    )
    assert await directory.find(JO) is None
    await disabled_jo(database)
    with pytest.raises(PersonDisabled):
        await directory.create(JO)


async def test_the_session_of_a_disabled_person_is_nobody_s(database: Database) -> None:
    site = make_site(store=MemoryStore(), database=database)
    jo = await signed_in(site)
    await SQLPeople(database).disable((await person_of(database)).id, at=START)
    site.forget_sessions()
    assert await id_of(jo) is None
    await SQLPeople(database).enable((await person_of(database)).id)
    site.forget_sessions()
    assert await id_of(jo) is not None


# --- without sign-up -----------------------------------------------------------------------------


async def test_without_sign_up_only_those_who_are_kept_sign_in(database: Database) -> None:
    site = make_site(store=MemoryStore(), database=database, features=[EmailLogin(signup=False)])
    await SQLPeople(database).add(Person("id-of-jo", JO, created_at=START))
    for email in (JO, KIM):
        await site.browser().ask(email)
    assert [message.to for message in site.outbox.messages] == [JO]
    assert await id_of(await signed_in(site)) == "id-of-jo"


def test_an_id_salt_is_checked_with_a_database_as_without() -> None:
    with pytest.raises(ConfigError, match="id_salt"):
        make_site(database="sqlite:///pwless.db", id_salt="short")


# --- last seen -----------------------------------------------------------------------------------


async def test_being_seen_is_written_once_an_hour(database: Database) -> None:
    clock = Clock()
    directory = PersonDirectory(
        SQLPeople(database), StableUsers(), SQLAddressChanges(database), clock
    )
    jo = await directory.create(JO)
    seen = []
    for after in (SEEN_SECONDS - 1, 1, 1):
        clock.now += after
        await directory.load(jo.id, JO)
        await directory.flush()
        seen.append((await person_of(database)).seen_at)
    assert seen == [START, START + SEEN_SECONDS, START + SEEN_SECONDS]


async def test_who_is_there_past_midnight_counts_as_active_on_both_days(
    database: Database,
) -> None:
    midnight = START - START % DAY + DAY
    clock = Clock()
    directory = PersonDirectory(
        SQLPeople(database), StableUsers(), SQLAddressChanges(database), clock
    )
    jo = await directory.create(JO)
    for clock.now in (midnight - SEEN_SECONDS, midnight - 2, midnight + 2, midnight + 10):
        await directory.load(jo.id, JO)
        await directory.flush()
    assert (await person_of(database)).seen_at == midnight + 2
    days = await SQLEventCounters(database).read("day", 0, midnight + DAY)
    assert [(each.name.start, each.count) for each in days] == [(midnight - DAY, 1), (midnight, 1)]


async def test_who_is_only_looked_up_was_not_there(database: Database) -> None:
    """An operator who reads a list, or a mail that is written, is nobody's visit."""
    clock = Clock()
    directory = PersonDirectory(
        SQLPeople(database), StableUsers(), SQLAddressChanges(database), clock
    )
    jo = await directory.create(JO)
    clock.now += 2 * DAY
    assert await directory.load(jo.id) is not None
    await directory.flush()
    assert (await person_of(database)).seen_at == START
    assert await SQLEventCounters(database).read("day", START + DAY, START + 3 * DAY) == []


class Late(MemoryPeople):
    """A database that takes its time."""

    async def touch(self, seen: Mapping[str, int]) -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        await super().touch(seen)


async def test_being_seen_is_written_before_the_process_ends() -> None:
    people = Late()
    await people.add(Person("1", JO))
    changes = MemoryAddressChanges(people, MemoryEvents())
    directory = PersonDirectory(people, StableUsers(), changes, lambda: START)
    site = make_site()
    lifetime = Lifetime(
        site.store,
        site.passwordless.deliveries,
        site.outbox,
        events=Events(None, lambda: START),
        people=directory,
    )
    await directory.load("1", JO)
    await lifetime.close()
    assert [one.seen_at for one in await people.list()] == [START]


class Full(MemoryPeople):
    """A database that can be read, and not written."""

    async def touch(self, seen: Mapping[str, int]) -> None:
        raise StoreError("no space left")


async def test_where_nothing_can_be_written_requests_go_on_and_the_log_tells(
    caplog: pytest.LogCaptureFixture,
) -> None:
    people = Full()
    await people.add(Person("1", JO))
    changes = MemoryAddressChanges(people, MemoryEvents())
    directory = PersonDirectory(people, StableUsers(), changes, lambda: START)
    user = await directory.load("1", JO)
    await directory.flush()
    assert user is not None
    assert "no space left" in caplog.text


async def test_who_waits_to_be_written_is_bounded() -> None:
    people = MemoryPeople()
    seen = LastSeen(people, lambda: START, most=2)
    for number in range(4):
        person, _ = await people.add(Person(f"{number}", f"{number}@example.com"))
        seen.note(person)
    await seen.flush()
    assert [one.seen_at for one in await people.list()] == [START, START, None, None]

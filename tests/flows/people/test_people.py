"""`Passwordless.people`: found, disabled, exported and erased (security rule 70)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware import EmailLogin, MemoryStore, User
from pwless_middleware.core.addresses import test_address
from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.addresses.address_change import AddressChange
from pwless_middleware.core.addresses.address_request import AddressRequest
from pwless_middleware.core.challenges.challenge import RESEND_WINDOW
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.operators.api_key import ApiKey, digest_of_key, id_of_key, new_key_text
from pwless_middleware.core.operators.stored_operator import StoredOperator
from pwless_middleware.core.operators.webhook import Webhook, WebhookDelivery
from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.core.organizations.organization import (
    Invitation,
    Member,
    Organization,
    SetupLink,
)
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import SQLEvents
from pwless_middleware.database.factors.passkeys import SQLPasskeys
from pwless_middleware.database.operators.api_keys import SQLApiKeys
from pwless_middleware.database.operators.operators import SQLOperators
from pwless_middleware.database.operators.webhook_deliveries import SQLWebhookDeliveries
from pwless_middleware.database.operators.webhooks import SQLWebhooks
from pwless_middleware.database.people.address_changes import SQLAddressChanges
from pwless_middleware.database.people.address_requests import SQLAddressRequests
from pwless_middleware.database.people.people import SQLPeople
from pwless_middleware.database.repositories import make_repositories
from pwless_middleware.database.statement import Statement
from pwless_middleware.errors import ConfigError, InvalidArgument, PersonNotFound, StoreError
from pwless_middleware.flows.people.people import People
from tests.breakable_store import BreakableStore
from tests.factors import MADE_AT, make_browser, make_factor, make_phone, make_reset
from tests.passkeys import make_passkey
from tests.support import START, Browser, Site, Slow, make_site

pytestmark = pytest.mark.anyio

JO = Address("jo@example.com")
OLD = Address("old@example.com")
KIM = Address("kim@example.com")


async def signed_in(site: Site, email: str = JO) -> Browser:
    browser = site.browser()
    await browser.sign_in(email)
    return browser


def people_of(site: Site) -> People:
    return site.passwordless.people


def next_process(site: Site, database: Database, **options: Any) -> Site:
    """Another process of the same deployment."""
    return make_site(
        store=site.store, clock=site.clock, outbox=site.outbox, database=database, **options
    )


async def written(database: Database) -> list[Event]:
    """The audit events of the database, the oldest first."""
    found = await SQLEvents(database).find(EventFilter(), after=-1)
    return [stored.event for stored in found if stored.event.by is not None]


# --- disable -------------------------------------------------------------------------------------


async def test_who_is_disabled_is_out_in_every_process_until_enabled(database: Database) -> None:
    site = make_site(store=MemoryStore(), database=database, roomy=True)
    other = next_process(site, database)
    jo, kim = await signed_in(site), await signed_in(site, KIM)
    there = other.browser(cookies=dict(jo.cookies))
    assert await jo.who() == await there.who() == JO
    person = await people_of(other).disable("Jo@Example.com", by="operator:u-1")
    assert person.disabled_at == START
    assert await jo.who() is await there.who() is None
    assert await kim.who() == KIM
    site.clock.advance(1)
    await people_of(site).enable(person.id)
    assert await jo.who() is None, "sessions that were ended stay ended"
    assert await (await signed_in(site)).who() == JO
    assert [(event.kind, event.user_id, event.by) for event in await written(database)] == [
        ("person.disabled", person.id, "operator:u-1"),
        ("person.enabled", person.id, "python"),
    ]


async def test_no_session_from_before_is_left_for_who_is_enabled(database: Database) -> None:
    """They were disabled while the store was down, and nobody has done it again."""
    store = BreakableStore()
    site = make_site(store=store, database=database, roomy=True)
    thief = await signed_in(site)
    store.is_down = True
    with pytest.raises(StoreError):
        await people_of(site).disable(JO)
    store.is_down = False
    assert await thief.who() is None
    await people_of(site).enable(JO)
    site.forget_sessions()  # as every process does in time
    assert await thief.who() is None
    jo = await signed_in(site)
    await people_of(site).enable(JO)
    assert await jo.who() == JO, "who was not disabled stays signed in"


async def test_a_login_that_is_under_way_while_they_are_disabled_opens_nothing(
    database: Database,
) -> None:
    """It has found the person before, and its session begins after the others were ended."""
    store = Slow(MemoryStore())
    site = make_site(store=store, database=database, roomy=True)
    await people_of(site).create(JO)
    jo = site.browser()
    await jo.ask(JO)

    async def disable() -> None:
        store.before.clear()
        await people_of(site).disable(JO)

    store.before["take"] = disable
    answer = await jo.type_code(site.mail().code)
    assert answer.status_code == 303
    assert jo.cookie() is not None
    assert await jo.who() is None


async def test_only_somebody_who_is_there_can_be_disabled(database: Database) -> None:
    people = people_of(make_site(store=MemoryStore(), database=database))
    for who in (JO, "no address@", "id-of-nobody"):
        with pytest.raises(PersonNotFound):
            await people.disable(who)
    await people.create(JO)
    assert (await people.disable(JO)).is_disabled


# --- create, list, change ------------------------------------------------------------------------


async def test_who_was_made_signs_in_where_nobody_else_may(database: Database) -> None:
    site = make_site(store=MemoryStore(), database=database, features=[EmailLogin(signup=False)])
    person = await people_of(site).create("Jo@Example.com", name=" Jo ", language="de", by="x")
    assert (person.email, person.name, person.language) == (JO, "Jo", "de")
    assert await people_of(site).find(person.id) == await people_of(site).find("JO@example.com")
    jo = await signed_in(site)
    assert await jo.who() == JO
    await site.browser().ask(KIM)
    assert [message.to for message in site.outbox.messages] == [JO]
    assert site.inner.scope["user"].display_name == "Jo"


async def test_who_is_there_already_is_not_made_again(database: Database) -> None:
    people = people_of(make_site(store=MemoryStore(), database=database))
    first = await people.create(JO, name="Jo")
    assert await people.create(JO, name="Other") == first
    assert [event.kind for event in await written(database)] == ["person.created"]


@pytest.mark.parametrize(
    "given", [{"email": "no"}, {"name": "a\nb"}, {"language": "xx"}, {"name": "x" * 101}]
)
async def test_nobody_is_made_of_what_is_no_address_name_or_language(
    database: Database, given: dict[str, str]
) -> None:
    people = people_of(make_site(store=MemoryStore(), database=database))
    with pytest.raises(InvalidArgument) as refused:
        await people.create(**({"email": JO} | given))
    assert refused.value.violations[0].field in given
    assert await people.list() == []


async def test_people_are_listed_page_by_page(database: Database) -> None:
    people = people_of(make_site(store=MemoryStore(), database=database))
    for name in ("b", "a2", "a1", "c"):
        await people.create(f"{name}@example.com")
    first = await people.list(limit=2)
    rest = await people.list(after=first[-1].email)
    assert [one.email[0] for one in (*first, *rest)] == ["a", "a", "b", "c"]
    assert [one.email for one in await people.list(prefix="A")] == [
        "a1@example.com",
        "a2@example.com",
    ]
    for limit in (0, 1001, True, "2"):
        with pytest.raises(InvalidArgument):
            await people.list(limit=limit)  # type: ignore[arg-type]


async def test_a_new_name_is_shown_by_every_process_with_the_next_request(
    database: Database,
) -> None:
    site = make_site(store=MemoryStore(), database=database)
    other = next_process(site, database)
    jo = await signed_in(site)
    there = other.browser(cookies=dict(jo.cookies))
    await there.who()
    await people_of(site).set_profile(JO, name="Jo Ü")
    await people_of(site).set_profile(JO, name="Jo Ü")
    await there.who()
    assert other.inner.scope["user"].display_name == "Jo Ü"
    [event] = await written(database)
    assert (event.kind, event.details) == ("person.profile_changed", {"fields": "name"})


# --- export and delete ---------------------------------------------------------------------------

TABLES = Statement(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'pwless%'",
    postgres="SELECT tablename::text FROM pg_tables WHERE tablename LIKE 'pwless%'",
)


async def rows_of_everything(database: Database) -> dict[str, list[str]]:
    """Return each row of each table, as text."""
    found = {}
    for (table,) in await database.fetch(TABLES()):
        everything = Statement(f"SELECT * FROM {table}")
        rows = await database.fetch(everything())
        if table == "pwless_entries":
            # What is in flight: challenges that were mailed before end within 15 minutes.
            rows = [row for row in rows if row[2] > START + RESEND_WINDOW]
        found[table] = [" ".join(f"{value!r}" for value in row) for row in rows]
    return found


COLUMNS = Statement(
    "SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p"
    " WHERE m.type = 'table' AND m.name LIKE 'pwless%'",
    postgres="SELECT table_name::text, column_name::text FROM information_schema.columns"
    " WHERE table_name LIKE 'pwless%'",
)
KEPT_IN = {
    "pwless_people": "person",
    "pwless_entries": "sessions",
    "pwless_events": "events",
    "pwless_attempts": "events",
    "pwless_address_changes": "address_changes",
    "pwless_address_requests": "address_requests",
    "pwless_user_handles": "passkeys",
    "pwless_passkeys": "passkeys",
    "pwless_factors": "second_factors",
    "pwless_factor_generations": "second_factors",
    "pwless_recovery_codes": "recovery_codes",
    "pwless_trusted_browsers": "trusted_browsers",
    "pwless_factor_resets": "factor_resets",
    "pwless_operators": "operator",
    "pwless_api_keys": "api_keys",
    "pwless_test_addresses": "test_address",
    "pwless_active_people": "activity",
    "pwless_webhook_deliveries": "webhooks",
    "pwless_organizations": "organizations",
    "pwless_members": "members",
    "pwless_identities": "identities",
    "pwless_invitations": "invitations",
}
"""Each table that has something about people, and where it is in an export."""


async def give_second_factors(id: str, database: Database) -> None:
    kept = make_repositories(database)
    for factor in (make_factor(id), make_phone(id, 2)):
        assert await kept.factors.add(factor, most=10, may_be_alone=False) == "added"
    await kept.factors.raise_generation(id)
    assert await kept.recovery_codes.set(id, [b"digest of a", b"digest of b"], at=START)
    await kept.recovery_codes.use(id, b"digest of a", at=START + 1)
    assert await kept.trusted_browsers.trust(make_browser(id), generation=1)
    assert await kept.factor_resets.ask(make_reset(id, by="operator:zoe"))


async def join_organization(id: str, database: Database) -> None:
    kept, name = make_repositories(database), "org_acme"
    policy = Policy(break_glass=frozenset({JO, KIM}))
    acme = Organization(id=name, name="Acme", policy=policy, created_at=START)
    assert await kept.organizations.put(acme, seen=None) == "done"
    assert await kept.members.put(Member(organization=name, user_id=id), seen=None) == "done"
    identity = Identity(
        connection="google", subject="s-1", user_id=id, email=JO, created_at=START, seen_at=START
    )
    assert await kept.identities.add(identity) == "added"
    invitation = Invitation(
        id="inv_a",
        organization=name,
        email=JO,
        created_at=START,
        expires_at=START + 9,
        by=f"operator:{id}",
    )
    assert await kept.invitations.add(invitation) == "added"
    link = SetupLink(
        id="setup_a",
        organization=name,
        created_at=START,
        expires_at=START + 9,
        by="operator:zoe",
    )
    assert await kept.setup_links.add(link) == "added"


async def make_operator(id: str, database: Database, by: str = "command_line") -> None:
    operator = StoredOperator(user_id=id, role="view", added_at=START, by=by)
    assert await SQLOperators(database).put(operator, seen=None) == "done"


async def make_address_request(
    id: str, database: Database, *, new: str, old: Address = JO, by: str = "operator:zoe"
) -> None:
    request = AddressRequest(
        id=new.encode()[:16],
        user_id=id,
        old=old,
        new=Address(new),
        by=by,
        asked_at=START,
    )
    await SQLAddressRequests(database).put(request)


async def make_webhook(id: str, database: Database) -> None:
    """Have a webhook that somebody made, an event about them, and one of what they did."""
    made = Webhook(
        id="wh_a",
        url="https://hooks.example.com",
        description="",
        kinds=(),
        secret=b"x",
        created_at=START,
        by=f"operator:{id}",
    )
    assert await SQLWebhooks(database).put(made, seen=None) == "done"
    sent = WebhookDelivery(
        webhook_id="wh_a",
        event_id="0" * 16,
        kind="session.created",
        at=START,
        body=json.dumps({"user_id": id}),
        user_id=id,
        by=None,
    )
    done = replace(sent, event_id="1" * 16, user_id=None, by=f"operator:{id}")
    await SQLWebhookDeliveries(database).add([sent, done])


async def make_test_address(id: str, database: Database) -> None:
    address = test_address.TestAddress(
        id="aaaaaaaaaaaaaaaa",
        email=Address("review@example.com"),
        secret=b"secret",
        made_at=START,
        by="python",
        ends_at=START + 9,
        user_id=id,
    )
    assert await make_repositories(database).test_addresses.add(address) == "added"


async def make_api_key(id: str, database: Database) -> None:
    text = new_key_text()
    key = ApiKey(
        id=id_of_key(text) or "",
        name="shop",
        generation=1,
        digest=digest_of_key(text),
        scopes=("events",),
        created_at=START,
        by=f"operator:{id}",
    )
    assert await SQLApiKeys(database).add(key)


async def full_life(site: Site, database: Database) -> str:
    """Do whatever leaves something about a person; return their id."""
    await signed_in(site, OLD)
    people, now = people_of(site), site.clock.now
    id = (await people.create(OLD)).id
    await SQLAddressChanges(database).change(AddressChange(b"x" * 16, id, OLD, JO, now))
    await make_address_request(id, database, new="new@example.com")
    await SQLPasskeys(database).add(make_passkey(id), most=10)
    await give_second_factors(id, database)
    await make_operator(id, database)
    await make_test_address(id, database)
    await make_api_key(id, database)
    await make_webhook(id, database)
    await join_organization(id, database)
    person = await people.set_profile(JO, name="Joanna", language="de")
    await people.disable(JO)
    await people.enable(JO)
    await signed_in(site)
    await signed_in(site, KIM)
    return person.id


def check_second_factors(told: dict[str, list[dict[str, object]]], id: str) -> None:
    """Names, numbers, devices, times; nothing that opens anything (security rule 43)."""
    app, phone, generation = told["second_factors"]
    assert (app["kind"], app["name"], app["created_at"]) == ("totp", "Jo's app", MADE_AT)
    assert (phone["kind"], phone["phone"]) == ("sms", "+4915100000002")
    assert generation == {"generation": 1}
    assert told["recovery_codes"] == [
        {"created_at": START, "used_at": START + 1},
        {"created_at": START, "used_at": None},
    ]
    browser, reset = make_browser(id), make_reset(id)
    assert told["trusted_browsers"] == [
        {
            "device": browser.device,
            "created_at": browser.created_at,
            "expires_at": browser.expires_at,
            "used_at": None,
        }
    ]
    assert told["factor_resets"] == [
        {
            "asked_at": reset.asked_at,
            "due_at": reset.due_at,
            "objected_at": None,
            "done_at": None,
        }
    ]


async def test_an_export_has_everything_that_is_kept_about_a_person(database: Database) -> None:
    site = make_site(database=database, roomy=True)
    id = await full_life(site, database)
    told = json.loads(json.dumps(await people_of(site).export(JO)))
    assert told["person"]["id"] == id
    assert (told["person"]["email"], told["person"]["name"]) == (JO, "Joanna")
    [session] = told["sessions"]
    assert (session["email"], session["methods"]) == (JO, ["email_code"])
    [passkey] = told["passkeys"]
    assert (passkey["id"], passkey["name"]) == ("AQEBAQEBAQEBAQEBAQEBAQ", "Jo's phone")
    assert not any(b64(make_passkey(id).public_key) in str(value) for value in passkey.values())
    check_second_factors(told, id)
    assert told["operator"] == [{"role": "view", "added_at": START, "removed_at": None}]
    kinds = {event["kind"] for event in told["events"]}
    assert {"person.profile_changed", "person.disabled", "person.enabled"} <= kinds
    for table, rows in (await rows_of_everything(database)).items():
        # That it was exported may be written by now, which the export itself cannot tell.
        rows = [row for row in rows if "person.exported" not in row]
        theirs = [row for row in rows if any(word in row for word in (id, JO, OLD))]
        if theirs and table != "pwless_webhooks":  # made for the deployment, not about a person
            assert table in KEPT_IN, f"{table} is not in the export"
            by_them = sum(
                "operator:" + id in row and table == "pwless_webhook_deliveries" for row in theirs
            )
            assert len(told[KEPT_IN[table]]) >= len(theirs) - by_them
    assert any(event.get("email") == OLD and "user_id" not in event for event in told["events"])
    assert "kim@" not in json.dumps(told)
    assert {event.kind for event in site.passwordless.events.recent()} >= {"person.exported"}
    await site.passwordless.lifetime.close()


async def test_no_table_has_people_of_whom_an_export_and_a_deletion_know_nothing(
    database: Database,
) -> None:
    """Whoever adds a table with a user's id gives `People` its data, and `full_life` a row."""
    columns = [tuple(row) for row in await database.fetch(COLUMNS())]
    about = {table for table, name in columns if "user_id" in name or "email" in name}
    assert about == KEPT_IN.keys() - {"pwless_api_keys", "pwless_entries", "pwless_organizations"}
    site = make_site(database=database, roomy=True)
    await full_life(site, database)
    await people_of(site).export(JO)
    rows = await rows_of_everything(database)
    assert all(rows[table] for table in KEPT_IN)
    await site.passwordless.lifetime.close()


async def test_a_deletion_leaves_nothing_that_names_the_person(database: Database) -> None:
    site = make_site(database=database, roomy=True)
    id = await full_life(site, database)
    jo = await signed_in(site)
    names = (id, JO, OLD, "Joanna")
    await make_operator("u-9", database, f"operator:{id}")
    kim = await people_of(site).id_of(KIM)
    await make_address_request(kim, database, new="kim2@example.com", old=KIM, by=f"operator:{id}")
    await site.passwordless.settings.set({"email_login.attempts": 4}, by=f"operator:{id}")
    before = await rows_of_everything(database)
    assert any(id in row or JO in row for rows in before.values() for row in rows)
    await people_of(site).delete(JO, by="person")
    for table, rows in (await rows_of_everything(database)).items():
        for row in rows:
            assert not any(word in row for word in names), (table, row)
    assert await jo.who() is None
    assert await people_of(site).find(id) is await people_of(site).find(JO) is None
    assert await people_of(site).find(KIM) is not None
    last = (await written(database))[-1]
    assert (last.kind, last.by, last.user_id) == ("person.deleted", "person", None)
    again = await signed_in(site)
    assert (await again.get("/private")).json()["id"] != id
    await site.passwordless.lifetime.close()


async def test_a_deletion_that_was_cut_off_is_done_again(database: Database) -> None:
    store = Slow(MemoryStore())
    site = make_site(store=store, database=database, roomy=True)
    jo = await signed_in(site)

    async def fail() -> None:
        raise StoreError("down")

    store.before["write"] = fail
    with pytest.raises(StoreError):
        await people_of(site).delete(JO)
    store.before.clear()
    left = await people_of(site).find(JO)
    assert left is not None
    assert left.is_disabled
    await people_of(site).delete(JO)
    assert await people_of(site).find(JO) is None
    assert await jo.who() is None


async def test_only_somebody_who_is_there_is_exported_or_deleted(database: Database) -> None:
    people = people_of(make_site(store=MemoryStore(), database=database))
    for call in (people.export(JO), people.export("nobody"), people.delete(JO)):
        with pytest.raises(PersonNotFound):
            await call


async def test_a_session_from_before_brings_nobody_back_who_was_kept_under_another_id(
    database: Database,
) -> None:
    """The id that their address gives is retired with theirs."""
    before = make_site(roomy=True)
    jo = await signed_in(before)
    await SQLPeople(database).add(Person("u-4711", JO, created_at=START))
    after = next_process(before, database)
    await people_of(after).delete(JO)
    assert await after.browser(cookies=dict(jo.cookies)).who() is None
    assert await people_of(after).list() == []


async def test_an_id_that_was_never_met_can_be_deleted(database: Database) -> None:
    """Of somebody who signed in before there was a database, and not since."""
    before = make_site(roomy=True)
    jo = await signed_in(before)
    id = (await jo.get("/private")).json()["id"]
    after = next_process(before, database)
    await people_of(after).delete(id)
    assert await after.browser(cookies=dict(jo.cookies)).who() is None
    assert await people_of(after).list() == []


# --- with a table of the host --------------------------------------------------------------------


class Table:
    """A table of the host, which knows Jo."""

    async def find(self, email: str) -> User | None:
        return User(id="4711", email=email) if email == JO else None

    create = find

    async def load(self, user_id: str) -> User | None:
        return User(id="4711", email=JO) if user_id == "4711" else None


async def test_with_a_table_of_the_host_there_is_what_hangs_on_its_ids(
    database: Database,
) -> None:
    site = make_site(store=MemoryStore(), database=database, users=Table())
    jo = await signed_in(site)
    people, ours = people_of(site), SQLPeople(database)
    await ours.add(Person("4711", "", language="de", created_at=START))
    told = await people.export("4711")
    assert told["person"] == (await ours.find("4711")).to_dict()  # type: ignore[union-attr]
    assert len(told["sessions"]) == 1  # type: ignore[arg-type]
    await people.delete("4711")
    assert await ours.find("4711") is None
    assert await jo.who() is None
    assert await (await signed_in(site)).who() == JO, "who exists is the table's to say"


async def test_the_id_of_a_person_is_found_with_each_kind_of_table(database: Database) -> None:
    store = MemoryStore()
    own = people_of(make_site(store=store, database=database))
    host = people_of(make_site(store=store, database=database, users=Table()))
    jo = await own.create(JO)
    assert [await own.id_of(who) for who in (JO, "Jo@Example.com ", jo.id)] == [jo.id] * 3
    assert [await host.id_of(who) for who in (JO, "4711", "gone")] == ["4711", "4711", "gone"]
    for people, unknown in ((own, (KIM, "gone", "", "\0")), (host, (KIM, "", "\0"))):
        for who in unknown:
            with pytest.raises(PersonNotFound):
                await people.id_of(who)


async def test_with_a_table_of_the_host_it_says_where_the_people_are(database: Database) -> None:
    people = people_of(make_site(store=MemoryStore(), database=database, users=Table()))
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: people.find(JO),
        lambda: people.list(),
        lambda: people.create(KIM),
        lambda: people.set_profile("4711", name="Jo"),
        lambda: people.disable("4711"),
        lambda: people.enable("4711"),
    ]
    for call in calls:
        with pytest.raises(ConfigError, match="users: people are in your own table"):
            await call()


def test_without_a_database_it_says_what_to_add() -> None:
    with pytest.raises(ConfigError, match=r'add database="sqlite:///pwless\.db"'):
        _ = make_site().passwordless.people

"""Fill a database as a year-old site has it: people, their factors, and what happened."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import write_steps
from pwless_middleware.database.transfer.rows import Import, TableRow
from pwless_middleware.database.transfer.second_factors import FACTORS
from pwless_middleware.database.transfer.tables import PASSKEYS, PEOPLE, USER_HANDLES
from pwless_middleware.flows.events.events import Events

NOW: Final = 1_800_000_000
DAYS: Final = 90
_DAY: Final = 86_400
_BATCH: Final = 1_000
_DEVICES: Final = ("Firefox on Linux", "Chrome on Windows", "Safari on iOS", "Safari on macOS")
_REASONS: Final = ("421 try again later", "450 mailbox busy", "timed out")


def address_of(person: int) -> str:
    """Return the address of a person."""
    return f"p{person:06d}@example.com"


async def fill(database: Database, events: Events, *, people: int, count: int) -> None:
    """Write people, and events of ninety days, of which each login has some five.

    Args:
        database: an empty one.
        events: makes the digests of addresses.
        people: how many; each fifth has an authenticator app, each tenth a passkey.
        count: how many events.
    """
    await database.open()
    await Import(database, lambda: _people(people), replace=True).run()
    batch: list[StoredEvent] = []
    for stored in _stories(events, people, count):
        batch.append(stored)
        if len(batch) == _BATCH:
            await database.transact(partial(write_steps, batch), is_long=True)
            batch = []
    if batch:
        await database.transact(partial(write_steps, batch), is_long=True)


def _people(people: int) -> Iterator[TableRow]:
    for n in range(people):
        row: dict[str, Any] = {
            "id": f"u-{n}",
            "email": address_of(n),
            "name": f"Person {n}",
            "language": "",
            "created_at": NOW - 300 * _DAY + n,
            "seen_at": NOW - n,
            "disabled_at": NOW - 5 if n % 500 == 0 else None,
        }
        yield TableRow(PEOPLE, row)
    for n in range(0, people, 10):
        yield TableRow(USER_HANDLES, {"user_id": f"u-{n}", "handle": n.to_bytes(64, "big")})
    for n in range(0, people, 10):
        yield TableRow(PASSKEYS, _passkey(n))
    for n in range(0, people, 5):
        factor: dict[str, Any] = {
            "id": f"f-{n:09d}",
            "user_id": f"u-{n}",
            "kind": "totp",
            "name": "Phone",
            "secret": n.to_bytes(60, "big"),
            "phone": "",
            "created_at": NOW - 100 * _DAY,
            "used_at": None,
        }
        yield TableRow(FACTORS, factor)


def _passkey(n: int) -> dict[str, Any]:
    return {
        "id": n.to_bytes(16, "big"),
        "user_id": f"u-{n}",
        "public_key": b"key",
        "sign_count": 0,
        "aaguid": "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4",
        "transports": "internal",
        "is_synced": 1,
        "is_backed_up": 1,
        "rp_id": "app.example.com",
        "name": "Laptop",
        "created_at": NOW - 50 * _DAY,
        "used_at": None,
    }


def _stories(events: Events, people: int, count: int) -> Iterator[StoredEvent]:
    chance = random.Random(1)  # the same events in every run
    digests: dict[int, str] = {}
    serial = 0
    logins = count // 5
    for login in range(logins):
        person = int(people * chance.random() ** 2)  # some come often
        if person not in digests:
            digests[person] = events.digests_of(address_of(person))[0]
        at = NOW - DAYS * _DAY + login * (DAYS * _DAY - 60) // logins
        shared: dict[str, Any] = {"attempt": f"attempt{login:014d}"}
        caller: dict[str, Any] = {
            "caller": "browser",
            "client": f"client-{person % 5_000}",
            "device": _DEVICES[person % 4],
        }
        for offset, kind, fields in _story(chance, person, digests[person]):
            if serial == count:
                return
            serial += 1
            theirs = fields | (caller if kind.split(".")[0] not in ("mail", "session") else {})
            theirs |= caller if kind == "session.created" else {}
            event = Event(
                at=at + offset,
                kind=kind,
                id=format_event_id(at + offset, serial),
                **({} if kind == "session.ended" else shared),
                **theirs,
            )
            email = address_of(person) if "address" in fields else None
            yield StoredEvent(event, email)


def _story(
    chance: random.Random, person: int, digest: str
) -> Sequence[tuple[int, str, dict[str, Any]]]:
    asked = (0, "send.requested", {"address": digest})
    seconds = chance.choice((0, 1, 1, 1, 2, 3, 20))
    sent = (seconds, "mail.sent", {"tries": 1, "details": {"seconds": seconds}})
    draw = chance.random()
    if draw < 0.02:
        return [asked, (1, "mail.deferred", {"reason": chance.choice(_REASONS), "wait": 5}), sent]
    if draw < 0.03:
        return [asked, (1, "mail.failed", {"reason": "550 no such user", "tries": 1})]
    if draw < 0.05:
        return [(0, "limit.reached", {"address": digest, "reason": "send_by_address", "wait": 60})]
    if draw < 0.10:
        return [asked, sent, (400, "login.refused", {"reason": "expired"})]
    wrong = [(8, "code.wrong", {"address": digest, "tries_left": 4})] if draw < 0.2 else []
    methods = ("email_code", "totp") if person % 5 == 0 else ("email_code",)
    user = {"user_id": f"u-{person}"}
    session = {**user, "address": digest, "methods": methods, "session": f"s-{person}"}
    return [
        asked,
        sent,
        *wrong,
        (9, "login.verified", {"method": "email_code"}),
        (10, "session.created", session),
        (50, "session.ended", {**user, "session": f"s-{person}", "reason": "logout"}),
    ]

"""What is counted of events: one contract over memory and each kind of database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_counters import DAY, HOUR, Span, start_of
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import SQLEvents, insert_event
from pwless_middleware.database.migrations import MIGRATIONS, migrate
from pwless_middleware.database.repositories import Repositories, make_repositories
from pwless_middleware.database.statement import Statement
from pwless_middleware.database.url import make_engine

pytestmark = pytest.mark.anyio

NOON = int(datetime(2026, 7, 15, 12, tzinfo=UTC).timestamp())
"""A Wednesday."""
TODAY = NOON - 12 * HOUR
MONDAY = TODAY - 2 * DAY
FIRST = TODAY - 14 * DAY


def event(serial: int, *, at: int = NOON, kind: str = "mail.sent", **fields: Any) -> Event:
    return replace(Event(at=at, kind=kind, id=format_event_id(at, serial)), **fields)


async def write(kept: Repositories, *given: Event) -> None:
    await kept.events.write([StoredEvent(one) for one in given])


async def read(
    kept: Repositories, span: Span, since: int = 0, until: int = 2**40
) -> list[tuple[int, str, str, str, int]]:
    found = await kept.event_counters.read(span, since, until)
    assert {each.name.span for each in found} <= {span}
    return [(*each.name[1:], each.count) for each in found]


async def people(kept: Repositories, span: Span, since: int = 0) -> dict[int, int]:
    return {row[0]: row[4] for row in await read(kept, span, since) if row[2] == "people"}


async def test_reasons_count_by_hour_and_by_day(repositories: Repositories) -> None:
    denied: dict[str, Any] = {"kind": "login.refused", "reason": "denied"}
    await write(
        repositories,
        event(1, **denied),
        event(2, at=NOON + HOUR, **denied),
        event(3, at=NOON + HOUR, kind="login.refused", reason="expired"),
    )
    assert await read(repositories, "hour") == [
        (NOON, "login.refused", "reason", "denied", 1),
        (NOON + HOUR, "login.refused", "reason", "denied", 1),
        (NOON + HOUR, "login.refused", "reason", "expired", 1),
    ]
    assert await read(repositories, "hour", NOON + 1, NOON + HOUR) == []
    assert await read(repositories, "day") == [
        (TODAY, "login.refused", "method", "", 3),
        (TODAY, "login.refused", "reason", "denied", 2),
        (TODAY, "login.refused", "reason", "expired", 1),
    ]


async def test_what_a_mail_server_says_is_counted_by_nobody(repositories: Repositories) -> None:
    """There is no end of such texts, and each would be a row for each hour."""
    await write(
        repositories,
        event(1, kind="mail.deferred", reason="greylisted"),
        event(2, kind="mail.failed", reason="550 no such user"),
        event(3, kind="limit.reached", reason="What a server said"),
    )
    assert await read(repositories, "hour") == []
    assert {row[2] for row in await read(repositories, "day")} == {"method"}


async def test_methods_count_by_day(repositories: Repositories) -> None:
    await write(
        repositories,
        event(1, kind="session.created", methods=("email_code", "totp")),
        event(2, kind="session.created", methods=("email_code", "totp"), at=NOON + HOUR),
        event(3, kind="login.verified", method="passkey", at=NOON + DAY),
    )
    assert await read(repositories, "day") == [
        (TODAY, "session.created", "method", "email_code+totp", 2),
        (TODAY + DAY, "login.verified", "method", "passkey", 1),
    ]


async def test_times_to_delivery_count_to_the_second_and_long_ones_to_ten(
    repositories: Repositories,
) -> None:
    taken = [0, 3, 3, 120, 124, 126, 4_000, -1, "soon"]
    await write(repositories, *(event(n, details={"seconds": s}) for n, s in enumerate(taken)))
    await write(repositories, event(99), event(100, kind="mail.failed", details={"seconds": 3}))
    found = {row[3]: row[4] for row in await read(repositories, "hour")}
    assert found == {"0": 1, "3": 2, "120": 2, "130": 1, "990": 1}


async def test_a_person_counts_once_in_a_day_a_week_and_a_month(
    repositories: Repositories,
) -> None:
    signed_in: dict[str, Any] = {"kind": "session.created", "user_id": "u-1"}
    await write(
        repositories,
        event(1, **signed_in),
        event(2, at=NOON + 1, **signed_in),
        event(3, at=NOON + DAY, kind="session.renewed", user_id="u-1"),
        event(4, at=NOON + 7 * DAY, **signed_in),
        event(5, at=NOON + 31 * DAY, **signed_in),
    )
    await write(repositories, event(6, kind="session.created", user_id="u-2"))
    days = (0, 1, 7, 31)
    assert await people(repositories, "day") == dict(
        zip([TODAY + n * DAY for n in days], [2, 1, 1, 1], strict=True)
    )
    assert await people(repositories, "week") == {
        MONDAY: 2,
        MONDAY + 7 * DAY: 1,
        start_of("week", NOON + 31 * DAY): 1,
    }
    assert await people(repositories, "month") == {FIRST: 2, FIRST + 31 * DAY: 1}
    assert await people(repositories, "hour") == {}


async def test_who_did_nothing_is_not_active(repositories: Repositories) -> None:
    """A wrong code, a passkey that was refused or what an operator did are nobody's visit."""
    await write(
        repositories,
        event(1, kind="session.created"),
        event(2, kind="session.ended", user_id="u-1", reason="revoked"),
        event(3, kind="passkey.refused", user_id="u-1", reason="signature"),
        event(4, kind="person.disabled", user_id="u-1", by="operator:u-9"),
    )
    assert await people(repositories, "day") == {}


async def test_who_was_seen_is_active_unless_deleted(repositories: Repositories) -> None:
    for id in ("u-1", "u-2"):
        await repositories.people.add(Person(id, f"{id}@example.com", created_at=NOON))
    await repositories.people.delete("u-2")
    await repositories.people.touch({"u-1": NOON, "u-2": NOON, "nobody": NOON})
    await repositories.people.touch({"u-1": NOON - DAY})
    assert await people(repositories, "day") == {TODAY - DAY: 1, TODAY: 1}
    assert await people(repositories, "week") == {MONDAY: 1}
    assert await repositories.event_counters.list_active("u-2") == []
    person = await repositories.people.find("u-1")
    assert person is not None
    assert person.seen_at == NOON, "it never goes back"


async def test_an_event_that_is_written_again_counts_once(repositories: Repositories) -> None:
    one = event(1, kind="session.created", user_id="u-1", methods=("passkey",))
    await write(repositories, one)
    await write(repositories, one, event(2, kind="session.created", user_id="u-1"))
    assert sum(row[4] for row in await read(repositories, "day") if row[2] == "method") == 2
    assert await people(repositories, "day") == {TODAY: 1}


async def test_erasing_forgets_who_it_was_and_keeps_the_count(repositories: Repositories) -> None:
    await write(
        repositories,
        event(1, kind="session.created", user_id="u-1"),
        event(2, kind="session.created", user_id="u-2"),
        event(3, kind="session.created", user_id="u-3"),
    )
    counters = repositories.event_counters
    assert await counters.list_active("u-1") == [
        ("day", TODAY),
        ("month", FIRST),
        ("week", MONDAY),
    ]
    await repositories.events.erase("u-1")
    await counters.erase("u-2")
    assert await counters.list_active("u-1") == await counters.list_active("u-2") == []
    assert len(await counters.list_active("u-3")) == 3
    assert await people(repositories, "day") == {TODAY: 3}


async def test_who_was_active_is_forgotten_a_week_after_the_span(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.database.events.event_counters.AT_ONCE", 2)
    counters = repositories.event_counters
    for n in range(5):
        await write(repositories, event(n, kind="session.created", user_id=f"u-{n}"))

    async def forget(now: int) -> list[str]:
        while await counters.forget(now):
            pass
        return [span for span, _ in await counters.list_active("u-4")]

    assert await forget(TODAY + 8 * DAY) == ["day", "month", "week"]
    assert await forget(TODAY + 9 * DAY) == ["month", "week"]
    assert await forget(MONDAY + 16 * DAY) == ["month"]
    assert await forget(FIRST + 39 * DAY) == ["month"]
    assert await forget(FIRST + 40 * DAY) == []
    assert await people(repositories, "day") == {TODAY: 5}


async def test_old_counters_go(repositories: Repositories) -> None:
    await write(repositories, event(1, kind="login.refused", reason="denied"))
    await write(repositories, event(2, at=NOON + DAY, kind="login.refused", reason="denied"))
    await repositories.event_counters.delete_before(TODAY + DAY)
    assert {row[0] for row in await read(repositories, "hour")} == {NOON + DAY}
    assert {row[0] for row in await read(repositories, "day")} == {TODAY + DAY}


async def test_four_processes_that_write_at_once_count_each_person_once(
    parallel: list[Repositories],
) -> None:
    async def serve(process: int, kept: Repositories) -> None:
        for n in range(6):
            given = [
                event(process * 1_000 + n * 10 + who, kind="session.created", user_id=f"u-{who}")
                for who in range(5)
            ]
            await write(kept, *given)

    await asyncio.gather(*(serve(number, kept) for number, kept in enumerate(parallel)))
    assert await people(parallel[0], "day") == {TODAY: 5}
    assert await people(parallel[0], "month") == {FIRST: 5}
    rows = await read(parallel[0], "day")
    assert [row[4] for row in rows if row[2] == "method"] == [120]


async def test_an_audit_event_counts_with_its_change(database: Database) -> None:
    await database.transact(lambda: insert_event(event(1, kind="person.enabled", user_id="u-1")))
    kept = make_repositories(database)
    assert await read(kept, "day") == [(TODAY, "person.enabled", "method", "", 1)]


EARLIER = Statement(
    "INSERT INTO pwless_event_counts (organization, hour, kind, method, count)"
    " VALUES ($1, $2, 'session.created', 'passkey', $3)"
)


async def test_what_was_counted_before_is_counted_by_day_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The migration sums what there is by the hour, of all organizations together."""
    place = [step.name for step in MIGRATIONS].index("event counters")
    url = f"sqlite:///{tmp_path}/earlier.db"
    with monkeypatch.context() as patched:
        patched.setattr(migrate, "MIGRATIONS", MIGRATIONS[:place])
        engine = make_engine(url)
        await engine.open()
        await migrate.migrate(engine)
        for organization, hour, count in (("", NOON, 1), ("", NOON + HOUR, 2), ("o-1", NOON, 1)):
            await engine.execute(EARLIER(organization, hour, count))
        await engine.aclose()
    database = Database(url)
    await database.open()
    found = await read(make_repositories(database), "day")
    assert found == [(TODAY, "session.created", "method", "passkey", 3)]
    assert await SQLEvents(database).count(TODAY, TODAY + DAY, step=DAY)
    await database.aclose()

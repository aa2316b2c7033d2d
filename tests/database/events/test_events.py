"""Events that are kept: one contract over memory and each kind of database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import SERIALS, first_number, format_event_id
from pwless_middleware.core.events.event_search import EventCount, EventFilter, StoredEvent
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.event_row import number_of
from pwless_middleware.database.events.events import EventRepository, SQLEvents, insert_event
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.repositories import Repositories
from pwless_middleware.database.statement import Statement, Steps

pytestmark = pytest.mark.anyio

NOON = 1_800_000_000 // 3600 * 3600
FULL = Event(
    at=NOON,
    kind="session.created",
    id=format_event_id(NOON, 1),
    attempt="a-1",
    user_id="u-1",
    organization="o-1",
    address="digest-1",
    by="operator:u-9",
    caller="step_up:s-1",
    client="client-1",
    device="Firefox on Linux",
    method="email_code",
    methods=("email_code", "totp"),
    session="s-1",
    reason="because",
    wait=1,
    tries=2,
    tries_left=0,
    details={"name": "phone", "count": 3, "is_new": True},
)


@pytest.fixture
def events(repositories: Repositories) -> EventRepository:
    """An empty repository, of each kind in turn."""
    return repositories.events


def event(serial: int, *, at: int = NOON, kind: str = "mail.sent", **fields: Any) -> Event:
    return replace(Event(at=at, kind=kind, id=format_event_id(at, serial)), **fields)


async def write(events: EventRepository, *given: Event) -> None:
    await events.write([StoredEvent(one) for one in given])


async def ids(events: EventRepository, wanted: EventFilter, **page: int) -> list[int]:
    """Return the serial numbers of what is found."""
    found = await events.find(wanted, **page)
    return [number_of(stored.event) % SERIALS for stored in found]


async def test_an_event_comes_back_as_it_was_written(events: EventRepository) -> None:
    written = [
        StoredEvent(FULL, "jo@example.com"),
        StoredEvent(event(2)),
        StoredEvent(event(3, methods=(), details={}, wait=0)),
    ]
    await events.write(written)
    assert await events.find(EventFilter()) == written[::-1]
    assert await events.find(EventFilter(), after=0) == written


async def test_what_is_written_again_changes_nothing(events: EventRepository) -> None:
    await write(events, event(1), event(2))
    await write(events, event(2), event(3))
    assert await ids(events, EventFilter()) == [3, 2, 1]
    assert [each.count for each in await events.count(0, NOON + 1)] == [3]


async def test_an_event_that_nobody_made_is_refused(events: EventRepository) -> None:
    with pytest.raises(ValueError, match="without an id"):
        await write(events, Event(at=NOON, kind="mail.sent"))


async def test_no_text_holds_up_a_batch(events: EventRepository) -> None:
    """PostgreSQL takes no NUL and no half of a pair, and has no long text in an index."""
    odd = event(1, reason="a\x00b", details={"name": "\ud800\x00"})
    noise = "".join(map(chr, range(0x4E00, 0x4E00 + 5_000)))  # which cannot be packed small
    await write(events, odd, event(2, user_id=noise), event(3))
    assert await ids(events, EventFilter()) == [3, 2, 1]


async def test_pages_follow_each_other_both_ways(events: EventRepository) -> None:
    await write(events, *(event(serial, at=NOON + serial // 3) for serial in range(10)))
    forward, back = [-1], [first_number(NOON + 100)]
    for _ in range(5):
        page = await events.find(EventFilter(), after=forward[-1], limit=4)
        forward += [number_of(stored.event) for stored in page]
        page = await events.find(EventFilter(), before=back[-1], limit=4)
        back += [number_of(stored.event) for stored in page]
    assert [number % SERIALS for number in forward[1:]] == [*range(10)]
    assert forward[1:] == back[:0:-1]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (EventFilter(kinds=("code.wrong",)), [6, 3]),
        (EventFilter(kinds=("code.wrong", "mail.sent")), [6, 4, 3, 2]),
        (EventFilter(kinds=("code",)), []),
        (EventFilter(attempt="a-1"), [3, 2, 1]),
        (EventFilter(attempt="a-1", kinds=("mail.sent",)), [2]),
        (EventFilter(user_id="u-1"), [6, 5]),
        (EventFilter(addresses=("d-1", "d-9")), [3, 1]),
        (EventFilter(user_id="u-1", addresses=("d-1",)), [6, 5, 3, 1]),
        (EventFilter(user_id="u-1", addresses=("d-1",), since=NOON + 3, until=NOON + 6), [5, 3]),
        (EventFilter(user_id="u-1", attempt="a-1"), []),
        (EventFilter(organization="o-1"), [5]),
        (EventFilter(organization="o-1", user_id="u-1"), [5]),
        (EventFilter(organization="o-1", kinds=("mail.sent",)), []),
        (EventFilter(since=NOON + 3, until=NOON + 5), [4, 3]),
        (EventFilter(attempt="' OR 1=1 --"), []),
    ],
)
async def test_what_is_looked_for_is_found(
    events: EventRepository, wanted: EventFilter, found: list[int]
) -> None:
    await write(
        events,
        event(1, at=NOON + 1, kind="send.requested", attempt="a-1", address="d-1"),
        event(2, at=NOON + 2, attempt="a-1"),
        event(3, at=NOON + 3, kind="code.wrong", attempt="a-1", address="d-1"),
        event(4, at=NOON + 4, attempt="a-2"),
        event(5, at=NOON + 5, kind="session.created", user_id="u-1", organization="o-1"),
        event(6, at=NOON + 6, kind="code.wrong", user_id="u-1"),
    )
    assert await ids(events, wanted) == found
    assert await ids(events, wanted, after=0) == found[::-1]
    assert await ids(events, wanted, limit=1) == found[:1]


async def test_hours_are_counted_by_kind_organization_and_method(events: EventRepository) -> None:
    signed_in: dict[str, Any] = {"kind": "session.created", "methods": ("email_code", "totp")}
    await write(
        events,
        event(1),
        event(2, at=NOON + 3599),
        event(3, at=NOON + 3600),
        event(4, at=NOON + 3600, **signed_in, organization="o-1"),
    )
    await write(events, event(5, kind="login.verified", method="email_link"), event(6))
    assert await events.count(NOON, NOON + 3600) == [
        EventCount(NOON, "login.verified", "email_link", 1),
        EventCount(NOON, "mail.sent", None, 3),
    ]
    assert await events.count(NOON + 1, NOON + 7200) == [
        EventCount(NOON + 3600, "mail.sent", None, 1),
        EventCount(NOON + 3600, "session.created", "email_code+totp", 1),
    ]
    assert await events.count(NOON, NOON + 7200, organization="o-1") == [
        EventCount(NOON + 3600, "session.created", "email_code+totp", 1),
    ]
    day = NOON - NOON % 86400
    assert await events.count(day, day + 86400, step=86400) == [
        EventCount(day, "login.verified", "email_link", 1),
        EventCount(day, "mail.sent", None, 4),
        EventCount(day, "session.created", "email_code+totp", 1),
    ]
    await events.delete_counts_before(NOON + 3600)
    assert {each.start for each in await events.count(0, NOON + 7200)} == {NOON + 3600}


async def test_old_events_go_and_their_counts_stay(events: EventRepository) -> None:
    await write(events, event(1), event(2, at=NOON + 1), event(3, at=NOON + 2))
    while await events.delete_before(NOON + 2):
        pass
    assert await ids(events, EventFilter()) == [3]
    assert sum(each.count for each in await events.count(0, NOON + 1)) == 3


async def test_deleting_goes_in_parts(
    events: EventRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.database.events.events.AT_ONCE", 2)
    await write(events, *(event(serial) for serial in range(5)))
    runs = 1
    while await events.delete_before(NOON + 1):
        runs += 1
    assert runs == 3 or isinstance(events, MemoryEvents)
    assert await events.find(EventFilter()) == []


@pytest.mark.parametrize("caller", ["step_up:s-1", "address_change:s-1"])
async def test_erasing_a_person_leaves_what_happened_and_nothing_that_names_them(
    events: EventRepository, caller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.database.events.events.AT_ONCE", 2)
    seen: dict[str, Any] = {"client": "c-1", "device": "Firefox on Linux", "caller": caller}
    await events.write(
        [
            StoredEvent(event(1, attempt="a-1", address="d-1", **seen), "jo@example.com"),
            StoredEvent(event(2, kind="link.scanned", attempt="a-1", **seen)),
            StoredEvent(replace(FULL, id=format_event_id(NOON, 3)), "jo@example.com"),
            StoredEvent(event(4, user_id="u-1", by="person", session="s-1")),
            StoredEvent(event(5, user_id="u-2", by="operator:u-1")),
            StoredEvent(event(6, user_id="u-2", address="d-1"), "jo@example.com"),
            StoredEvent(event(7, attempt="a-2", address="d-2", **seen), "al@example.com"),
        ]
    )
    counts = await events.count(0, NOON + 1)
    await events.erase("u-1", ["d-1"])
    found = await events.find(EventFilter(), after=0)
    others = [stored for stored in found if stored.event.user_id == "u-2"]
    assert [stored.email for stored in others] == [None, "jo@example.com"], "it is theirs now"
    assert found[-1].email == "al@example.com"
    assert (found[-1].event.client, found[-1].event.caller) == ("c-1", caller)
    erased = [s for s in found if (s.event.user_id or "").startswith("erased-")]
    assert [s.event.kind for s in erased] == ["mail.sent", "session.created", "mail.sent"]
    assert len({s.event.user_id for s in erased}) == 1
    assert others[0].event.by == f"operator:{erased[0].event.user_id}"
    rest = repr([found[1], *erased]).replace("erased-1", "")  # whose "d-1" is nobody's
    for word in ("u-1", "jo@", "d-1", "c-1", "Firefox", "s-1", "phone"):
        assert word not in rest, word
    assert await events.count(0, NOON + 1) == counts


async def test_an_export_has_everything_about_a_person(
    events: EventRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.database.events.events.AT_ONCE", 2)
    written = [event(1, address="d-1"), *(event(n, user_id="u-1") for n in range(2, 6))]
    await write(events, *written, event(6, user_id="u-2", address="d-2"))
    found = [stored.event async for stored in events.export("u-1", ["d-1"])]
    assert found == written


async def test_many_write_at_once_and_each_event_is_counted_once(events: EventRepository) -> None:
    kinds = ["mail.sent", "code.wrong", "session.created"]

    def batch(first: int) -> list[StoredEvent]:
        return [StoredEvent(event(first + n, kind=kinds[(first + n) % 3])) for n in range(30)]

    await asyncio.gather(*(events.write(batch(first)) for first in range(0, 300, 15)))
    assert len(await events.find(EventFilter(), limit=1_000)) == 315
    assert sum(each.count for each in await events.count(0, NOON + 1)) == 315


CHANGE = Statement("UPDATE pwless_schema SET version = version WHERE version = $1")


async def test_an_audit_event_stands_and_falls_with_its_change(database: Database) -> None:
    events = SQLEvents(database)

    def change(audit: Event, *, fails: bool) -> Steps[None]:
        yield CHANGE(1)
        yield from insert_event(audit)
        if fails:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.transact(lambda: change(event(1), fails=True))
    await database.transact(lambda: change(event(2, by="person"), fails=False))
    (found,) = await events.find(EventFilter())
    assert found.event == event(2, by="person")
    assert [each.count for each in await events.count(0, NOON + 1)] == [1]

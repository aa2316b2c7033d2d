"""Events on their way to the database: in batches, once, and none lost to an outage that passes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_search import EventFilter, StoredEvent
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.events import event_writer
from pwless_middleware.flows.events.event_history import EventHistory
from pwless_middleware.flows.events.event_writer import EventWriter
from pwless_middleware.flows.events.events import Events
from tests.support import KEY, Clock

pytestmark = pytest.mark.anyio

JO = Address("jo@example.com")


class Faulty(MemoryEvents):
    """Fail as long as told; `after` fails when everything was written, as a cut connection does."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.before: Exception | None = None
        self.after: Exception | None = None
        self.hangs: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def write(self, batch: Sequence[StoredEvent]) -> None:
        self.sizes.append(len(batch))
        self.begun.set()
        if self.before is not None:
            raise self.before
        if self.hangs is not None:
            await self.hangs.wait()
        await super().write(batch)
        if self.after is not None:
            raise self.after

    async def erase(self, user_id: str, addresses: Sequence[str] = ()) -> None:
        if self.before is not None:
            raise self.before
        await super().erase(user_id, addresses)

    async def tries(self) -> list[int | None]:
        """Return what tells the events apart, in order."""
        return [stored.event.tries for stored in await self.find(EventFilter(), after=-1)]


class Busy(Faulty):
    """Have something recorded while it writes."""

    events: Events | None = None

    async def write(self, batch: Sequence[StoredEvent]) -> None:
        if self.events is not None and len(self.sizes) < 20:
            send(self.events, 90)
        await super().write(batch)


def made(*, keep_addresses: bool = True) -> tuple[Events, Faulty, EventWriter]:
    events, repository = Events(Keyring(KEY, realm=""), Clock()), Faulty()
    return events, repository, EventWriter(events, repository, keep_addresses=keep_addresses)


def send(events: Events, *tries: int) -> None:
    for number in tries:
        events.record("mail.sent", attempt=b"12345678", tries=number)


@pytest.mark.parametrize(("keep", "email"), [(True, "jo@example.com"), (False, None)])
async def test_the_address_in_clear_is_kept_where_that_is_wanted(
    keep: bool, email: str | None
) -> None:
    events, repository, writer = made(keep_addresses=keep)
    events.record("code.wrong", Caller(), attempt=b"12345678", address=JO, tries_left=1)
    assert await writer.write()
    (stored,) = await repository.find(EventFilter(addresses=events.digests_of(JO)))
    assert stored == StoredEvent(next(events.newest()), email)
    assert "jo@" not in repr(stored.event)


async def test_what_was_recorded_goes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_writer, "BATCH", 4)
    monkeypatch.setattr(event_writer, "_AT_ONCE", 3)
    events, repository, writer = made()
    send(events, *range(15))
    assert await writer.write()
    assert repository.sizes == [6, 6, 3]
    assert await repository.tries() == [*range(15)]
    assert await writer.write()
    assert repository.sizes == [6, 6, 3], "nothing is written where there is nothing"
    send(events, *range(15))
    assert not await writer.write(batches=1)
    assert repository.sizes == [6, 6, 3, 6]


async def test_a_storm_of_logins_drops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round of the event loop records more than one takes, in a tenth of the true numbers."""
    monkeypatch.setattr("pwless_middleware.flows.events.events.UNWRITTEN", 2_000)
    monkeypatch.setattr("pwless_middleware.flows.events.events._AT_ONCE", 10)
    monkeypatch.setattr(event_writer, "BATCH", 20)
    monkeypatch.setattr(event_writer, "_AT_ONCE", 5)
    events, repository = Events(Keyring(KEY, realm=""), Clock(), kept=500), Faulty()

    async def pause(seconds: float) -> None:
        await asyncio.sleep(0)

    writer = EventWriter(events, repository, keep_addresses=True, pause=pause)
    told: list[Event] = []
    events.subscribe(told.append)
    running = asyncio.create_task(writer.run())
    for _ in range(400):
        send(events, *range(15))
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert max(repository.sizes) < 2_000, "it keeps up, and did not only wait for the end"
    assert await writer.write()
    events.flush()
    assert events.count_unwritten() == events.dropped == 0
    assert sum(repository.sizes) == len(told) == 400 * 15


async def test_an_audit_event_is_not_written_a_second_time() -> None:
    events, repository, writer = made()
    audit = events.make("mail.sent", tries=1)
    repository.insert(audit)
    events.publish(audit)
    send(events, 2)
    await writer.write()
    assert repository.sizes == [1]
    assert await repository.tries() == [1, 2]


async def test_an_outage_loses_nothing_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    events, repository, writer = made()
    repository.before = StoreError("the database cannot be asked")
    send(events, 1, 2)
    assert not await writer.write()
    send(events, 3)
    assert not await writer.write()
    repository.before = None
    assert await writer.write()
    assert await repository.tries() == [1, 2, 3]
    assert [vars(record)["event"] for record in caplog.records] == ["store_down", "events_written"]


async def test_a_batch_that_was_written_after_all_is_written_once() -> None:
    events, repository, writer = made()
    repository.after = StoreError("the connection was cut")
    send(events, 1, 2)
    assert not await writer.write()
    repository.after = None
    assert await writer.write()
    assert await repository.tries() == [1, 2]
    assert [count.count for count in await repository.count(0, 2**40)] == [2]


async def test_what_does_not_fit_is_dropped_counted_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pwless_middleware.flows.events.events.UNWRITTEN", 3)
    events, repository, writer = made()
    send(events, *range(5))
    await writer.write()
    await writer.write()
    found = await repository.find(EventFilter(), after=-1)
    assert [stored.event.kind for stored in found] == [*["mail.sent"] * 3, "event.dropped"]
    assert found[-1].event.details == {"count": 2}
    assert [vars(record)["event"] for record in caplog.records] == ["event_dropped"]
    assert len(list(events.newest())) == 6, "this process has them all"


async def test_what_can_never_be_written_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    events, repository, writer = made()
    repository.before = TypeError("a mistake at jo@example.com")
    send(events, 1, 2)
    assert await writer.write()
    repository.before = None
    send(events, 3)
    assert await writer.write()
    found = await repository.find(EventFilter(), after=-1)
    assert [stored.event.kind for stored in found] == ["mail.sent", "event.dropped"]
    assert found[-1].event.details == {"count": 2}
    assert [vars(record)["event"] for record in caplog.records] == ["events_lost"]
    assert "jo@" not in caplog.text


async def test_a_writer_that_is_cancelled_leaves_its_batch_to_the_next() -> None:
    events, repository, writer = made()
    repository.hangs = asyncio.Event()
    send(events, 1, 2)
    task = asyncio.create_task(writer.write())
    await repository.begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    repository.hangs = None
    send(events, 3)
    assert await writer.write()
    assert await repository.tries() == [1, 2, 3]


async def test_a_shutdown_waits_for_the_database_but_not_for_long(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_writer, "FLUSH_SECONDS", 0.01)
    events, repository, writer = made()
    send(events, 1)
    await writer.flush()
    assert await repository.tries() == [1]
    repository.hangs = asyncio.Event()
    send(events, 2)
    await writer.flush()
    assert [vars(record)["event"] for record in caplog.records] == ["events_lost"]


async def test_who_is_erased_is_erased_again_after_others_have_written() -> None:
    """Another process had something of theirs in its queue."""
    repository, clock = MemoryEvents(), Clock()
    others = Events(Keyring(KEY, realm=""), clock)
    other = EventWriter(others, repository, keep_addresses=True)
    events = Events(Keyring(KEY, realm=""), clock)
    writer = EventWriter(events, repository, keep_addresses=True)
    others.record("session.ended", user_id="u-1", session="s-1", reason="logout")
    await EventHistory(events, repository, writer).erase("u-1", [JO])
    await other.write()
    assert len(await repository.find(EventFilter(user_id="u-1"))) == 1
    await writer.flush()
    assert await repository.find(EventFilter(user_id="u-1")) == []
    (left,) = await repository.find(EventFilter())
    assert left.event.kind == "session.ended"


async def test_who_is_erased_is_erased_from_a_batch_that_is_being_written() -> None:
    """An earlier address is known from its events alone, and would be left where one is missed."""
    events, repository, writer = made()
    history = EventHistory(events, repository, writer)
    events.record("session.ended", user_id="u-1", session="s-1", reason="logout")
    repository.hangs = asyncio.Event()
    background = asyncio.create_task(writer.write())
    await repository.begun.wait()
    erasing = asyncio.create_task(history.erase("u-1"))
    for _ in range(20):
        await asyncio.sleep(0)
    repository.hangs.set()
    await asyncio.gather(background, erasing)
    (stored,) = await repository.find(EventFilter(), after=-1)
    assert stored.event.session is None
    assert await repository.find(EventFilter(user_id="u-1")) == []


async def test_who_is_to_be_erased_again_is_not_forgotten_in_an_outage() -> None:
    events, repository, writer = made()
    writer.erase_again(partial(repository.erase, "u-1", ()))
    await repository.write(
        [StoredEvent(events.make("session.ended", user_id="u-1", reason="logout"))]
    )
    repository.before = StoreError("the database cannot be asked")
    await writer.flush()
    repository.before = None
    await writer.flush()
    assert await repository.find(EventFilter(user_id="u-1")) == []


async def test_the_writer_looks_every_second() -> None:
    events, repository = Events(Keyring(KEY, realm=""), Clock()), Faulty()
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise asyncio.CancelledError
        send(events, len(pauses))
        repository.before = StoreError("down") if len(pauses) == 1 else None

    writer = EventWriter(events, repository, keep_addresses=True, pause=pause)
    with pytest.raises(asyncio.CancelledError):
        await writer.run()
    assert pauses == [0.5, 0.5, 0.5]
    assert await repository.tries() == [1, 2]


async def test_on_a_busy_site_a_second_has_one_commit() -> None:
    """While a batch is written the next events are recorded, always."""
    events, repository = Events(Keyring(KEY, realm=""), Clock()), Busy()
    repository.events = events
    seconds = 0

    async def pause(_: float) -> None:
        nonlocal seconds
        seconds += 1
        if seconds == 3:
            raise asyncio.CancelledError
        send(events, seconds)

    writer = EventWriter(events, repository, keep_addresses=True, pause=pause)
    with pytest.raises(asyncio.CancelledError):
        await writer.run()
    assert repository.sizes == [1, 2]
    repository.events = None
    assert await writer.write()
    assert await repository.tries() == [1, 90, 2, 90]


async def test_refusals_of_an_hour_are_bounded_and_displace_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who is refused at no cost could fill the disk (security rule 23)."""
    monkeypatch.setattr(event_writer, "REFUSALS_PER_HOUR", 3)
    clock, repository = Clock(), Faulty()
    events = Events(Keyring(KEY, realm=""), clock)
    writer = EventWriter(events, repository, keep_addresses=True)

    async def kinds() -> list[str]:
        found = await repository.find(EventFilter(), after=-1)
        return [stored.event.kind for stored in found]

    for _ in range(2):
        events.record("caller.refused", Caller(), reason="unknown_key")
    repository.before = StoreError("the database cannot be asked")
    for _ in range(3):  # to be tried again is not to come again
        assert not await writer.write()
    repository.before = None
    for _ in range(4):
        events.record("caller.refused", Caller(), reason="unknown_key")
    send(events, 1)
    await writer.write()
    await writer.write()
    assert await kinds() == [*["caller.refused"] * 3, "mail.sent", "event.dropped"]
    found = await repository.find(EventFilter(kinds=("event.dropped",)))
    assert found[0].event.details == {"count": 3}
    clock.advance(3600)
    events.record("caller.refused", Caller(), reason="unknown_key")
    await writer.write()
    assert (await kinds())[-1] == "caller.refused"

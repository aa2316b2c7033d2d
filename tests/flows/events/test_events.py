"""Recording and telling: in order, off the path, bounded, and harmless."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event, EventKind
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.client import Client
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.events.event_history import EventHistory
from pwless_middleware.flows.events.events import Events
from tests.support import KEY, Clock

pytestmark = pytest.mark.anyio

JO = Address("jo@example.com")


def made(*, kept: int = 10) -> tuple[Events, list[Event]]:
    events, told = Events(Keyring(KEY, realm=""), Clock(), kept=kept), []  # type: ignore[var-annotated]
    events.subscribe(told.append)
    return events, told


def send(events: Events, attempt: bytes) -> None:
    events.record("mail.sent", attempt=attempt, tries=1)


async def test_subscribers_are_called_behind_the_path_and_in_order() -> None:
    events, told = made()
    for number in range(1, 6):
        events.record("mail.sent", attempt=b"12345678", tries=number)
    assert told == []
    await asyncio.sleep(0)
    assert [event.tries for event in told] == [1, 2, 3, 4, 5]


async def test_many_events_let_the_event_loop_go_on_between_them() -> None:
    events, told = made(kept=1000)
    for _ in range(250):
        send(events, b"12345678")
    seen = []
    for _ in range(4):
        await asyncio.sleep(0)
        seen.append(len(told))
    assert seen == [100, 200, 250, 250]


async def test_a_subscriber_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    events = Events(Keyring(KEY, realm=""), Clock())
    told: list[Event] = []

    secret = str(JO)

    def fails(event: Event) -> None:
        raise RuntimeError(secret)

    events.subscribe(fails)
    events.subscribe(told.append)
    send(events, b"12345678")
    send(events, b"12345678")
    await asyncio.sleep(0)
    assert len(told) == 2
    assert [vars(record)["event"] for record in caplog.records] == ["subscriber_failed"] * 2
    assert "RuntimeError" in caplog.text
    assert "in fails" in caplog.text
    assert "jo@" not in caplog.text


async def test_a_subscriber_may_record() -> None:
    events, told = made()
    events.subscribe(lambda event: send(events, b"1") if event.kind == "code.wrong" else None)
    events.record("code.wrong", Caller(), attempt=b"12345678", address=JO, tries_left=1)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [event.kind for event in told] == ["code.wrong", "mail.sent"]


async def test_what_waits_is_bounded_and_the_drops_are_counted_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events, told = made(kept=10)
    for _ in range(13):
        send(events, b"12345678")
    await asyncio.sleep(0)
    assert len(told) == 10
    assert EventHistory(events).dropped == 3
    assert [vars(record)["event"] for record in caplog.records] == ["event_dropped"]


async def test_history_keeps_the_last_ones_and_finds_them() -> None:
    events, _ = made(kept=3)
    history = EventHistory(events)
    for number in range(5):
        events.record("mail.sent", attempt=b"12345678", tries=number)
        await asyncio.sleep(0)
    assert [event.tries for event in history.recent()] == [4, 3, 2]
    assert [event.tries for event in history.recent(limit=1)] == [4]
    events.record("mail.failed", attempt=b"other", reason="expired")
    newest, *older = history.recent()
    assert newest.kind == "mail.failed", "what waits to be told is there already"
    assert history.recent(kind="mail.failed") == [newest]
    assert history.recent(attempt=older[0].attempt) == older
    assert history.recent(user_id="u-1") == []


async def test_followers_hear_of_what_comes() -> None:
    events, _ = made(kept=10)
    send(events, b"before")
    await asyncio.sleep(0)
    follower = EventHistory(events).follow()

    async def first() -> Event:
        return await anext(follower)

    got = asyncio.create_task(first())
    await asyncio.sleep(0)
    assert not got.done()
    for number in range(3):
        events.record("mail.sent", attempt=b"12345678", tries=number)
    assert (await got).tries == 0
    assert [(await anext(follower)).tries for _ in range(2)] == [1, 2]


async def test_a_slow_follower_misses_what_is_not_kept() -> None:
    events, _ = made(kept=3)
    follower = EventHistory(events).follow()
    for number in range(5):
        events.record("mail.sent", attempt=b"12345678", tries=number)
        await asyncio.sleep(0)
    assert [(await anext(follower)).tries for _ in range(3)] == [2, 3, 4]


async def test_what_is_not_declared_raises_where_it_is_recorded() -> None:
    events, _ = made()
    with pytest.raises(ValueError, match=r"no event 'mail\.lost'"):
        events.record("mail.lost")
    with pytest.raises(ValueError, match="'address'"):
        events.record("mail.sent", address=JO)
    kind = EventKind("card.added", "a card was added", ("user_id",))
    events.declare([kind], by="Cards")
    events.record("card.added", user_id="u-1")
    events.declare([kind], by="Cards, too")  # the very same one
    with pytest.raises(ConfigError, match=r"Others declares events 'card\.added'"):
        events.declare([EventKind("card.added", "another card", ("user_id",))], by="Others")


async def test_addresses_and_clients_are_digests() -> None:
    events, told = made()
    caller = Caller(client=Client("203.0.113.7"), device="Firefox on Linux")
    events.record("send.requested", caller, attempt=b"12345678", address=JO)
    other = Events(Keyring(KEY[::-1], realm=""), Clock())
    other.subscribe(told.append)
    other.record("send.requested", caller, attempt=b"12345678", address=JO)
    await asyncio.sleep(0)
    for word in ("jo@", "203.0.113", b"12345678".hex(), "12345678"):
        assert word not in repr(told)
    ours, theirs = told
    assert (ours.caller, ours.device) == ("browser", "Firefox on Linux")
    for digest in ("attempt", "address", "client"):
        assert getattr(ours, digest) != getattr(theirs, digest), "without the key it tells nothing"


async def test_flush_tells_everything() -> None:
    events, told = made(kept=1000)
    for _ in range(250):
        send(events, b"12345678")
    events.flush()
    assert len(told) == 250


def test_what_a_loop_that_ended_has_left_is_told_in_the_next() -> None:
    """A test client has a loop for each request."""
    events, told = made()

    async def record() -> None:
        send(events, b"12345678")

    for _ in range(3):
        loop = asyncio.new_event_loop()
        task = loop.create_task(record())
        task.add_done_callback(lambda _, loop=loop: loop.stop())  # type: ignore[misc]
        loop.run_forever()
        loop.close()
    asyncio.run(record())
    assert len(told) == 4


async def test_a_clock_out_of_range_does_not_fail_who_records() -> None:
    def broken() -> int:
        raise StoreError("the clock stands at -1")

    events = Events(Keyring(KEY, realm=""), broken)
    send(events, b"12345678")
    assert [event.at for event in events.newest()] == [0]


async def test_a_subscriber_is_a_plain_function() -> None:
    async def waits(event: Event) -> None: ...

    class Waits:
        async def __call__(self, event: Event) -> None: ...

    for bad in (waits, Waits(), "print"):
        with pytest.raises(ConfigError, match="on_event: set a plain function"):
            Events(Keyring(KEY, realm=""), Clock()).subscribe(bad)  # type: ignore[arg-type]


async def test_an_audit_event_is_made_once_and_told_as_the_others() -> None:
    events, told = made()
    events.declare([EventKind("factor.reset", "…", ("user_id", "by"))], by="People")
    audit = events.make("factor.reset", user_id="u-1", by="command_line")
    await asyncio.sleep(0)
    assert told == []
    assert list(events.newest()) == []
    events.publish(audit)
    await asyncio.sleep(0)
    assert told == list(events.newest()) == [audit]
    assert (audit.user_id, audit.by) == ("u-1", "command_line")
    with pytest.raises(ValueError, match="no event"):
        events.make("factor.reset", reason="because")


async def test_each_event_has_an_id_of_its_own_in_the_order_of_recording() -> None:
    events, told = made()
    send(events, b"1")
    audit = events.make("mail.sent", tries=1)
    send(events, b"2")
    await asyncio.sleep(0)
    first, last = (event.id or "" for event in told)
    assert first < (audit.id or "") < last
    assert [event.id for event in events.newest()] == [last, first], "the same whenever it is read"


async def test_without_a_key_there_are_no_digests() -> None:
    events = Events(None, Clock())
    event = events.make("code.wrong", Caller(client=Client("203.0.113.7")), address=JO)
    assert (event.address, event.client, event.caller) == (None, None, "browser")

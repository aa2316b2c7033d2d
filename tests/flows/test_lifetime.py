"""What runs beside the requests: started once for each loop, drained and closed at the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.delivery.queue.outcomes import Outcome
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.lifetime import Lifetime
from pwless_middleware.stores.memory import MemoryStore
from tests.support import KEY, Clock

pytestmark = pytest.mark.anyio


class Store(MemoryStore):
    """A store that says what happens to it, and may be away or set up wrongly."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.problem: Exception | None = None

    async def open(self) -> None:
        self.events.append("open")
        if self.problem is not None:
            raise self.problem

    async def aclose(self) -> None:
        self.events.append("close")


class Mailer:
    """A mailer that only notes that it was closed."""

    delivers_inline = False

    def __init__(self, *, inline: bool = False) -> None:
        self.delivers_inline = inline
        self.closed = 0

    async def send(self, message: object) -> None: ...

    async def aclose(self) -> None:
        self.closed += 1


def made(
    *,
    inline: bool = False,
    serverless: bool = False,
    deliver: Callable[[bytes], Awaitable[Outcome]] | None = None,
) -> tuple[Lifetime, Store, Mailer, list[bytes]]:
    delivered: list[bytes] = []

    async def note(payload: bytes) -> Outcome:
        delivered.append(payload)
        return Outcome.SENT

    store, mailer = Store(), Mailer(inline=inline)
    deliveries = Deliveries(store.jobs, deliver or note, clock=Clock())
    events = Events(Keyring(KEY, realm=""), Clock())
    lifetime = Lifetime(store, deliveries, mailer, events=events, is_serverless=serverless)
    return lifetime, store, mailer, delivered


async def until(done: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(30):
        while not done():  # noqa: ASYNC110  # the worker has no event that a test could await
            await asyncio.sleep(0)


async def test_starting_twice_starts_once() -> None:
    lifetime, store, mailer, delivered = made()
    for _ in range(3):
        lifetime.start()
    store.jobs.add(b"mail", now=Clock().now)
    await until(lambda: delivered == [b"mail"])
    assert store.events == ["open"]
    await lifetime.close()
    assert store.events == ["open", "close"]
    assert mailer.closed == 1


async def test_after_a_close_it_may_start_again() -> None:
    lifetime, store, _, _ = made()
    lifetime.start()
    await lifetime.close()
    lifetime.start()
    await until(lambda: store.events.count("open") >= 1)
    await lifetime.close()
    assert store.events[-1] == "close"


async def test_closing_what_never_started_is_fine() -> None:
    lifetime, store, mailer, _ = made()
    await lifetime.close()
    assert store.events == ["close"]
    assert mailer.closed == 1


async def test_inline_delivery_starts_no_worker_and_delivers_at_once() -> None:
    lifetime, store, _, delivered = made(inline=True)
    lifetime.start()
    store.jobs.add(b"mail", now=Clock().now)
    for _ in range(20):
        await asyncio.sleep(0)
    assert delivered == []
    await lifetime.wake_delivery()
    assert delivered == [b"mail"]
    await lifetime.close()


async def test_a_serverless_request_delivers_its_mail_and_answers_in_one_fixed_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether there is anybody to serve cannot be told from when the answer comes."""
    monkeypatch.setattr("pwless_middleware.flows.lifetime.INLINE_SECONDS", 0.2)
    lifetime, store, _, delivered = made(serverless=True)
    lifetime.start()
    loop = asyncio.get_running_loop()
    for payload in (b"mail", None):
        if payload is not None:
            store.jobs.add(payload, now=Clock().now)
        begun = loop.time()
        await lifetime.wake_delivery()
        assert loop.time() - begun >= 0.2
    assert delivered == [b"mail"]
    await lifetime.close()


async def test_a_worker_is_not_waited_for() -> None:
    hanging = asyncio.Event()

    async def hang(payload: bytes) -> Outcome:
        await hanging.wait()
        return Outcome.SENT

    lifetime, store, _, _ = made(deliver=hang)
    store.jobs.add(b"mail", now=Clock().now)
    async with asyncio.timeout(30):
        await lifetime.wake_delivery()
    hanging.set()
    await lifetime.close()


async def test_a_store_that_is_away_at_the_start_is_no_reason_not_to_start(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lifetime, store, _, _ = made(inline=True)
    store.problem = StoreError("no connection")
    await lifetime.open()
    lifetime.start()
    await until(lambda: store.events.count("open") >= 1)
    await lifetime.close()
    assert {record.levelno for record in caplog.records} <= {logging.WARNING, logging.ERROR}
    assert "the store" in caplog.text


async def test_a_store_that_is_set_up_wrongly_stops_the_start_and_is_logged_without_a_lifespan(
    caplog: pytest.LogCaptureFixture,
) -> None:
    lifetime, store, _, _ = made(inline=True)
    store.problem = ConfigError("store", "set maxmemory-policy noeviction")
    with pytest.raises(ConfigError, match="noeviction"):
        await lifetime.open()
    lifetime.start()
    await until(lambda: store.events.count("open") >= 2)
    for _ in range(5):
        await asyncio.sleep(0)
    assert "noeviction" in caplog.text
    await lifetime.close()


@pytest.mark.parametrize("inline", [False, True])
async def test_a_check_serves_and_delivers_nobodys_mail(inline: bool) -> None:
    """Of an `Outbox` that ends with the command nobody would read it."""
    lifetime, store, _, delivered = made(inline=inline)
    lifetime.serve_only()
    lifetime.start()
    store.jobs.add(b"mail", now=Clock().now)
    await lifetime.wake_delivery()
    for _ in range(20):
        await asyncio.sleep(0)
    assert delivered == []
    assert store.events == []


def test_each_event_loop_has_its_own() -> None:
    lifetime, store, _, delivered = made()

    async def once(payload: bytes) -> None:
        lifetime.start()
        store.jobs.add(payload, now=Clock().now)
        await until(lambda: payload in delivered)

    asyncio.run(once(b"a"))
    asyncio.run(once(b"b"))
    assert delivered == [b"a", b"b"]
    assert store.events == ["open", "open"]

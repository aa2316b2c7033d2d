"""Events: what recording one costs on the path of a request, and telling it behind the answer."""

from __future__ import annotations

import asyncio
import time

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.client import Client
from pwless_middleware.flows.clock import make_clock
from pwless_middleware.flows.events.event_lines import EventLines
from pwless_middleware.flows.events.events import Events
from tests.benchmarks.figures import Options, Samples, Table
from tests.support import KEY

_JO = Address("jo@example.com")
_CALLER = Caller(client=Client("203.0.113.7"), device="Firefox on Linux")
_AT_ONCE = 100


def _hear(event: Event) -> None:
    pass


def _made(*, is_heard: bool = False, is_kept: bool = False) -> Events:
    events = Events(Keyring(KEY, realm="https://app.example.com"), make_clock(None))
    events.subscribe(EventLines(), kinds=EventLines.kinds)
    if is_heard:
        events.subscribe(_hear)
    if is_kept:
        events.collect()
    return events


_CASES = {
    "with no `on_event`": (_made(), _AT_ONCE),
    "for a database, made ready to be written": (_made(is_kept=True), _AT_ONCE),
    "with `on_event`, a hundred before the event loop goes on": (_made(is_heard=True), _AT_ONCE),
    "with `on_event`, one before the event loop goes on": (_made(is_heard=True), 1),
}


async def cpu_of(events: Events, count: int, at_once: int) -> tuple[float, float]:
    """Return the CPU microseconds of recording an event, and of telling it."""
    recording = telling = 0
    for _ in range(count // at_once):
        started = time.thread_time_ns()
        for _ in range(at_once):
            events.record("code.wrong", _CALLER, attempt=b"12345678", address=_JO, tries_left=4)
        recorded = time.thread_time_ns()
        await asyncio.sleep(0)
        events.take(at_once, keep_addresses=True)
        telling += time.thread_time_ns() - recorded
        recording += recorded - started
    return recording / count / 1000, telling / count / 1000


async def _cost_of_asking() -> tuple[float, float]:
    """Return the microseconds that each of the two measurements takes itself."""
    asked = told = 0
    for _ in range(5_000):
        started = time.thread_time_ns()
        between = time.thread_time_ns()
        await asyncio.sleep(0)
        told += time.thread_time_ns() - between
        asked += between - started
    return asked / 5_000_000, told / 5_000_000


async def measure(options: Options) -> list[Table]:
    """Measure both, with and without somebody who listens."""
    samples = {name: (Samples(), Samples()) for name in _CASES}
    for number in range(options.rounds):
        options.say(f"events, round {number + 1} of {options.rounds}")
        asking, sleeping = await _cost_of_asking()
        for name, (events, at_once) in _CASES.items():
            record, tell = await cpu_of(events, int(options.turn * 100_000), at_once)
            samples[name][0].add(record - asking / at_once)
            samples[name][1].add(tell - sleeping / at_once)
    table = Table(
        "CPU per event, in process",
        ("a wrong code, with all its fields", "on the path of the request, µs", "behind it, µs"),
        "Median (quartiles) over the rounds.",
    )
    for name, (recording, telling) in samples.items():
        table.add(name, recording.told(2), telling.told(2))
    return [table]

"""One time limit around all store steps of a request (security rule 15).

A store that hangs must not hang the app: a request may spend 1.5 seconds in it altogether, waiting
for a connection included, whatever client the host has passed in. After that the answer is 503.

What does not count is our own: a crowd waits in line (`turns`) until it is its turn to ask,
and a busy event loop uses up nobody's time (`deadline`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Final, TypeVar

from pwless_middleware.core.challenges.budget import Draw
from pwless_middleware.core.storage.job import Jobs
from pwless_middleware.deadline import Deadline
from pwless_middleware.errors import StoreTimeout
from pwless_middleware.flows.store_times import Measure, StoreTimes
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.stores.base import Admission, Attempt, Feed, Put, Store, Writes
from pwless_middleware.turns import Turns

STORE_SECONDS = 1.5
_AT_ONCE: Final = 24
"""Questions to the store at a time, in one event loop; below `RedisStore`'s 32 connections, of
which the mail queue has the rest."""

T = TypeVar("T")
_left: ContextVar[list[float] | None] = ContextVar("pwless_store_seconds", default=None)


@contextmanager
def request_deadline() -> Iterator[None]:
    """Return what is done inside, the store steps of one request, its 1.5 seconds together.

    They end with it: the app's handler runs in the same context afterwards, perhaps for hours (a
    socket), and its own calls of our verbs are not this request's.
    """
    token = _left.set([STORE_SECONDS])
    try:
        yield
    finally:
        _left.reset(token)


class DeadlineStore:
    """Put the time limit around another store's verbs; its promises stay the same.

    Args:
        store: the other one.
        times: are told how long each question took; `None` for nobody.

    Raises:
        StoreError: from any verb, once the request's time is spent. The write may have happened.
    """

    def __init__(self, store: Store, times: StoreTimes | None = None) -> None:
        self._store = store
        self._times = times or StoreTimes()
        self._turns: PerLoop[Turns] = PerLoop(lambda: Turns(_AT_ONCE))

    @property
    def feed(self) -> Feed:
        """The store's own."""
        return self._store.feed

    @property
    def jobs(self) -> Jobs:
        """The store's own: the worker waits by itself, and no request waits for it."""
        return self._store.jobs

    async def read(self, key: str, *, now: int) -> bytes | None:
        """See `Store.read`."""
        return await self._within("read", lambda: self._store.read(key, now=now))

    async def read_list(self, listed: str, *, now: int) -> Sequence[tuple[str, bytes]]:
        """See `Store.read_list`."""
        return await self._within("read_list", lambda: self._store.read_list(listed, now=now))

    async def admit(
        self,
        draws: Sequence[Draw],
        put: Put,
        *,
        job: bytes | None,
        replaces: bytes | None,
        now: int,
        op: str,
    ) -> Admission:
        """See `Store.admit`."""
        return await self._within(
            "admit",
            lambda: self._store.admit(draws, put, job=job, replaces=replaces, now=now, op=op),
        )

    async def attempt(self, draws: Sequence[Draw], key: str, *, now: int, op: str) -> Attempt:
        """See `Store.attempt`."""
        return await self._within(
            "attempt", lambda: self._store.attempt(draws, key, now=now, op=op)
        )

    async def take(self, key: str, then: Writes, *, now: int, op: str) -> bool:
        """See `Store.take`."""
        return await self._within("take", lambda: self._store.take(key, then, now=now, op=op))

    async def write(self, writes: Writes, *, now: int, op: str) -> None:
        """See `Store.write`."""
        await self._within("write", lambda: self._store.write(writes, now=now, op=op))

    async def swap(self, put: Put, *, replaces: bytes, now: int) -> bool:
        """See `Store.swap`."""
        return await self._within("swap", lambda: self._store.swap(put, replaces=replaces, now=now))

    async def open(self) -> None:
        """See `Store.open`."""
        await self._within("open", lambda: self._store.open())

    async def ping(self) -> None:
        """See `Store.ping`."""
        await self._within("ping", lambda: self._store.ping())

    async def aclose(self) -> None:
        """See `Store.aclose`; closing has the time it needs."""
        await self._store.aclose()

    async def _within(self, verb: str, call: Callable[[], Awaitable[T]]) -> T:
        left = _left.get() or [STORE_SECONDS]
        async with self._turns.here():
            deadline, measures = Deadline(left[0]), self._times.measures
            try:
                async with deadline:
                    return await (_measure(measures, verb, call) if measures else call())
            except TimeoutError as exc:
                raise StoreTimeout("the store did not answer in time") from exc
            finally:
                left[0] = deadline.left


async def _measure(measures: Sequence[Measure], verb: str, call: Callable[[], Awaitable[T]]) -> T:
    begun, is_answered = perf_counter(), False
    try:
        answer = await call()
        is_answered = True
    finally:
        seconds = perf_counter() - begun
        for measure in measures:
            measure(verb, seconds, is_answered)
    return answer

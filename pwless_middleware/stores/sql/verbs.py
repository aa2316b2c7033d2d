"""The verbs as pure steps: which entries each has to read, and what it then decides and writes.

    verb = take(key, then, now, op)
    rows = ...  # of `verb.keys`
    answer = verb.decide(entries)

The rules of budgets are those of `core.challenges.budget`; SQL only reads and writes. Each verb is
atomic because whoever runs it (`runner`) lets nobody else write between the reading and the
writing.

An operation is remembered under a key of its own. A draw, a record and an operation never have the
same key: those of operations begin with a colon, no other does (`core.storage.store_keys`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from pwless_middleware.core.challenges import budget
from pwless_middleware.core.challenges.budget import Draw
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import QueueFull
from pwless_middleware.stores.base import Admission, Attempt, Put, Writes
from pwless_middleware.stores.sql.entries import Entries, Entry
from pwless_middleware.stores.sql.sweep import KEPT_FOR

A = TypeVar("A")

_REMEMBERED = 60 - KEPT_FOR
"""Seconds from `now` to the `until` of an answer: it leaves with the sweep a minute later. Until
then it counts, so nothing has to compare its time."""


@dataclass(frozen=True, slots=True)
class Verb(Generic[A]):
    """One verb with its arguments.

    Attributes:
        keys: the entries that it needs to see, and all that it may change.
        decide: reads and changes them, and returns the answer. Raises before it changes anything.
        queues: whether it may add jobs, so that it needs to know how many wait.
        publishes: whether it may tell drops.
    """

    keys: tuple[str, ...]
    decide: Callable[[Entries], A]
    queues: bool = False
    publishes: bool = False


def admit(
    draws: Sequence[Draw], put: Put, job: bytes | None, replaces: bytes | None, now: int, op: str
) -> Verb[Admission]:
    """Count these and, if all are within their limits, write this, with a job."""
    answered = f":a{op}"

    def decide(entries: Entries) -> Admission:
        if replaces is not None:
            known = entries.find(answered)
            if known is not None:
                return Admission(ok=True, wait=int(known.value))
        held = entries.find_live(put.key, now)
        if replaces is None and held == Entry(put.value, put.until, put.listed):
            return Admission(ok=True, wait=_next_wait(entries, draws, now))
        if (None if held is None else held.value) != replaces:
            return Admission(ok=False, conflict=True)
        refused = _find_refusal(entries, draws, now)
        if refused is not None:
            return Admission(ok=False, refused_by=refused[0], wait=refused[1])
        if job is not None and not entries.has_room(1):
            raise QueueFull
        _enter(entries, draws, now)
        entries.put(put, now)
        if job is not None:
            entries.jobs.append((job, now))
        wait = _next_wait(entries, draws, now)
        if replaces is not None:
            entries.set(answered, b"%d" % wait, now + _REMEMBERED)
        return Admission(ok=True, wait=wait)

    keys = (put.key, *_keys_of(draws), *((answered,) if replaces is not None else ()))
    return Verb(keys, decide, queues=job is not None)


def attempt(draws: Sequence[Draw], key: str, now: int, op: str) -> Verb[Attempt]:
    """Count these and, if all are within their limits, read that."""
    answered = f":t{op}"

    def decide(entries: Entries) -> Attempt:
        known = entries.find(answered)
        if known is not None:
            return Attempt(known.value[4:], left=int.from_bytes(known.value[:4], "big"))
        value = entries.value(key, now)
        if value is None:
            return Attempt(None)
        refused = _find_refusal(entries, draws, now)
        if refused is not None:
            return Attempt(None, refused_by=refused[0], wait=refused[1])
        _enter(entries, draws, now)
        left = 0
        if draws and draws[0].limits:
            left = budget.count_left(_ledger(entries, draws[0].key), draws[0], now)
        entries.set(answered, left.to_bytes(4, "big") + value, now + _REMEMBERED)
        return Attempt(value, left=left)

    return Verb((key, answered, *_keys_of(draws)), decide)


def take(key: str, then: Writes, now: int, op: str) -> Verb[bool]:
    """Remove this and, if it was there, write these."""
    answered = f":k{op}"

    def decide(entries: Entries) -> bool:
        if entries.find(answered) is not None:
            return True
        if entries.find_live(key, now) is None:
            return False
        _check_room(entries, then)
        entries.remove(key)
        _write(entries, then, now)
        entries.set(answered, b"", now + _REMEMBERED)
        return True

    keys = (key, answered, *_keys_in(then))
    return Verb(keys, decide, queues=bool(then.jobs), publishes=_publishes(then))


def write(writes: Writes, now: int, op: str) -> Verb[None]:
    """Write these."""
    answered = f":w{op}"

    def decide(entries: Entries) -> None:
        if entries.find(answered) is None:
            _check_room(entries, writes)
            _write(entries, writes, now)
            entries.set(answered, b"", now + _REMEMBERED)

    keys = (answered, *_keys_in(writes))
    return Verb(keys, decide, queues=bool(writes.jobs), publishes=_publishes(writes))


def swap(put: Put, replaces: bytes, now: int) -> Verb[bool]:
    """Write a record if exactly that value stands there, or say true if it has come twice."""

    def decide(entries: Entries) -> bool:
        held = entries.find_live(put.key, now)
        if held is None:
            return False
        if held.value == replaces:
            entries.put(put, now)
            return True
        return held == Entry(put.value, put.until, put.listed)

    return Verb((put.key,), decide)


# --- what they share -----------------------------------------------------------------------------


def _keys_of(draws: Iterable[Draw]) -> tuple[str, ...]:
    return tuple(draw.key for draw in draws)


def _keys_in(writes: Writes) -> tuple[str, ...]:
    return (
        *(put.key for put in writes.puts),
        *(drop.key for drop in writes.drops),
        *(refund.key for refund in writes.refunds),
    )


def _publishes(writes: Writes) -> bool:
    return any(drop.publish for drop in writes.drops)


def _ledger(entries: Entries, key: str) -> bytes:
    """Return a budget's ledger. It drops by itself what no window reaches any more."""
    held = entries.find(key)
    return b"" if held is None else held.value


def _wait(entries: Entries, draw: Draw, now: int) -> int:
    if draw.since is not None:
        return budget.wait_for_mark(entries.value(draw.key, now), draw)
    return budget.wait_for(_ledger(entries, draw.key), draw, now)


def _find_refusal(entries: Entries, draws: Sequence[Draw], now: int) -> tuple[int, int] | None:
    """Return the draw with the longest wait and that wait, or `None` if all are admitted."""
    waits = [_wait(entries, draw, now) for draw in draws]
    longest = max(waits, default=0)
    return (waits.index(longest), longest) if longest else None


def _next_wait(entries: Entries, draws: Sequence[Draw], now: int) -> int:
    """Return how long until all would admit another event."""
    return max((_wait(entries, draw, now) for draw in draws if draw.enters), default=0)


def _enter(entries: Entries, draws: Iterable[Draw], now: int) -> None:
    for draw in draws:
        if draw.enters:
            ledger = budget.enter(_ledger(entries, draw.key), draw, now)
            entries.set(draw.key, ledger, now + draw.window)


def _check_room(entries: Entries, writes: Writes) -> None:
    if writes.jobs and not entries.has_room(len(writes.jobs)):
        raise QueueFull


def _write(entries: Entries, writes: Writes, now: int) -> None:
    for refund in writes.refunds:
        held = entries.find(refund.key)
        if held is not None:
            rest = budget.apply_refund(held.value, refund)
            if rest:
                entries.set(refund.key, rest, held.until)
            else:
                entries.remove(refund.key)
    for drop in writes.drops:
        entries.remove(drop.key)
        if drop.publish:
            entries.published.append(drop.key)
    for put in writes.puts:
        entries.put(put, now)
    entries.jobs.extend((job, now) for job in writes.jobs)

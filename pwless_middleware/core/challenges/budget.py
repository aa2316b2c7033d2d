"""Budgets: how many events a subject may cause in a time.

A budget is a ledger of the events that were admitted, and limits over it: "at most 5 in any 900
seconds". The window slides, so that no moment gives twice the number, as fixed windows do at their
edge. One ledger serves all windows of its subject; an entry is ten bytes, most ledgers hold one.

    ledger  = entry*                    oldest first
    entry   = time u32 | tag u32 | count u16      big-endian; time is a multiple of the quantum

The tag says who caused the event (an interface and a client's digest, or a device), and a limit's
mask which bits of it must be the same: one ledger has "20 by this interface", "40 by all" and "10
from this client". Refused events are not entered: who keeps asking does not prolong the wait.

Numbers up to `EXACT` are exact. A window with a larger one gets a ledger of its own (`draws_on`),
whose times are rounded down to a hundredth of the window, so that no ledger has more than some
hundred entries, and a budget of 60,000 costs no more than one of 100.
The same arithmetic stands once more, in Lua, in the Redis store; the contract suite holds both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from pwless_middleware.core.dataclass import dataclass

ENTRY = struct.Struct(">IIH")
EXACT = 256
"""The largest number that is counted to the second; a ledger has at most as many entries."""
_STEPS = 100
"""Into how many steps the window of a larger number is divided."""
_MAX_COUNT = 0xFFFF
ONE = 0xFFFFFFFF
"""The mask of a limit on exactly one tag."""
NEVER = 1 << 31
"""Seconds: the wait of a draw that no time will admit."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Allow at most `count` events in any `window` seconds.

    Attributes:
        count: events, at least 0 (0 admits none).
        window: whole seconds, at least 1.
        mask: count only events whose tag has the same bits here as the new one's; 0 counts all.
    """

    count: int
    window: int
    mask: int = 0


@dataclass(frozen=True, slots=True)
class Draw:
    """One event on a budget: entered, or only looked at.

    Attributes:
        key: the ledger's name in the store; holds digests only, never input.
        limits: all must hold, or nothing is entered.
        tag: who causes the event, 32 bits; 0 for nobody in particular.
        quantum: seconds to which times are rounded down, so that a ledger of many events stays
            small. An event leaves its window up to `quantum - 1` seconds early. 1 is exact.
        enters: whether the event is entered; false only asks whether it would be admitted.
        since: `None`, or the key is not a ledger's but a record's: four bytes, a time. The draw is
            refused if the record is there and its time is `since` or later. Enters nothing.
    """

    key: str
    limits: tuple[Limit, ...]
    tag: int = 0
    quantum: int = 1
    enters: bool = True
    since: int | None = None

    @classmethod
    def unless(cls, key: str, *, since: int) -> Draw:
        """Make a draw that is refused where the record `key` holds a time of `since` or later."""
        return cls(key, (), enters=False, since=since)

    @property
    def window(self) -> int:
        """Seconds for which an entry matters: the longest window."""
        return max((limit.window for limit in self.limits), default=0)


@dataclass(frozen=True, slots=True)
class Refund:
    """Take back exactly one event that a draw at `at` entered; none other is touched."""

    key: str
    at: int
    tag: int = 0
    quantum: int = 1

    @classmethod
    def of(cls, draw: Draw, at: int) -> Refund:
        """Name the event that this draw entered at `at`."""
        return cls(draw.key, at, draw.tag, draw.quantum)

    @classmethod
    def of_all(cls, draws: Iterable[Draw], at: int) -> tuple[Refund, ...]:
        """Name the events that these draws entered at `at`; what only looked entered none."""
        return tuple(cls.of(draw, at) for draw in draws if draw.enters)


def draws_on(key: str, limits: Iterable[Limit], tag: int = 0) -> tuple[Draw, ...]:
    """Return the draws for these limits: one ledger, and one more for a window of large numbers.

    A window with a number over `EXACT` has a ledger of its own, which keeps only those bits of the
    tag that its limits ask for. What counts by the whole tag (`ONE`) has one named by the tag.
    """
    limits = tuple(limits)
    coarse = {limit.window: None for limit in limits if limit.count > EXACT}
    exact = tuple(limit for limit in limits if limit.window not in coarse)
    draws = [Draw(key, exact, tag)] if exact else []
    for window in coarse:
        quantum = -(-window // _STEPS)
        theirs = tuple(limit for limit in limits if limit.window == window)
        shared = tuple(limit for limit in theirs if limit.mask != ONE)
        bits = 0
        for limit in shared:
            bits |= limit.mask
        if shared:
            draws.append(Draw(f"{key}.{window:x}", shared, tag & bits, quantum))
        if len(shared) < len(theirs):
            own = tuple(limit for limit in theirs if limit.mask == ONE)
            draws.append(Draw(f"{key}.{window:x}.{tag:x}", own, tag, quantum))
    return tuple(draws)


def entries(ledger: bytes) -> Iterator[tuple[int, int, int]]:
    """Read a ledger as (time, tag, count), oldest first."""
    return ENTRY.iter_unpack(ledger)


def _find_counted(ledger: bytes, draw: Draw, limit: Limit, now: int) -> list[tuple[int, int]]:
    """Return what a limit counts, as (time, count)."""
    start, mask, bits = now - limit.window, limit.mask, draw.tag & limit.mask
    return [(t, count) for t, tag, count in entries(ledger) if t > start and tag & mask == bits]


def wait_for(ledger: bytes, draw: Draw, now: int) -> int:
    """Return how many seconds until this draw would be admitted; 0 means now."""
    wait = 0
    for limit in draw.limits:
        live = _find_counted(ledger, draw, limit, now)
        over = sum(count for _, count in live) + 1 - limit.count
        if over <= 0:
            continue
        until = limit.window  # a limit of 0, or a ledger that a clock stepped back has overfilled
        for time, count in live:
            over -= count
            if over <= 0:
                until = min(limit.window, time + limit.window - now)
                break
        wait = max(wait, until)
    return wait


def wait_for_mark(mark: bytes | None, draw: Draw) -> int:
    """Return the wait of a draw with `since`: 0, or `NEVER` if the mark is as late or later."""
    is_later = mark is not None and int.from_bytes(mark, "big") >= (draw.since or 0)
    return NEVER if is_later else 0


def count_left(ledger: bytes, draw: Draw, now: int) -> int:
    """Return how many more events the tightest limit admits now."""
    return min(
        max(0, limit.count - sum(count for _, count in _find_counted(ledger, draw, limit, now)))
        for limit in draw.limits
    )


def enter(ledger: bytes, draw: Draw, now: int) -> bytes:
    """Return the ledger with this event in it, and without what no window reaches any more."""
    at = now - now % draw.quantum
    kept: list[tuple[int, int, int]] = []
    merged = False
    for time, tag, count in entries(ledger):
        if time <= now - draw.window:
            continue
        if not merged and time == at and tag == draw.tag and count < _MAX_COUNT:
            count, merged = count + 1, True
        kept.append((time, tag, count))
    if not merged:
        kept.append((at, draw.tag, 1))
    return b"".join(ENTRY.pack(*entry) for entry in kept)


def apply_refund(ledger: bytes, refund: Refund) -> bytes:
    """Return the ledger without one event of that time and tag; unchanged if there is none."""
    at = refund.at - refund.at % refund.quantum
    kept: list[tuple[int, int, int]] = []
    done = False
    for time, tag, count in entries(ledger):
        if not done and time == at and tag == refund.tag:
            done = True
            count -= 1
            if count == 0:
                continue
        kept.append((time, tag, count))
    return b"".join(ENTRY.pack(*entry) for entry in kept)

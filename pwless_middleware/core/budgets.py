"""Budgets: how many events a subject may cause in a time, exactly.

A budget is a ledger of the events that were admitted, and limits over it: "at most 5 in any 900
seconds". The window slides, so that no moment gives twice the number, as fixed windows do at their
edge. One ledger serves all windows of its subject; an entry is ten bytes, most ledgers hold one.

    ledger  = entry*                    oldest first
    entry   = time u32 | tag u32 | count u16      big-endian; time is a multiple of the quantum

The tag says who caused the event (a client's digest, 0 for nobody in particular), for limits on one
client's share. Refused events are not entered: who keeps knocking does not prolong the wait.
The same arithmetic stands once more, in Lua, in the Redis store; the contract suite holds both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

ENTRY = struct.Struct(">IIH")
_MAX_COUNT = 0xFFFF


@dataclass(frozen=True, slots=True)
class Limit:
    """Allow at most `count` events in any `window` seconds.

    Attributes:
        count: events, at least 0 (0 admits none).
        window: whole seconds, at least 1.
        of_one: count only the events with the same tag as the new one.
    """

    count: int
    window: int
    of_one: bool = False


@dataclass(frozen=True, slots=True)
class Draw:
    """Ask for one event on a budget.

    Attributes:
        key: the ledger's name in the store; holds digests only, never input.
        limits: all must hold, or nothing is entered.
        tag: who causes the event; 0 for nobody in particular.
        quantum: seconds to which times are rounded down, so that a ledger of many events stays
            small: at most `window / quantum` entries for each tag. 1 is exact.
    """

    key: str
    limits: tuple[Limit, ...]
    tag: int = 0
    quantum: int = 1

    @property
    def window(self) -> int:
        """Seconds for which an entry matters: the longest window."""
        return max(limit.window for limit in self.limits)


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


def entries(ledger: bytes) -> Iterator[tuple[int, int, int]]:
    """Read a ledger as (time, tag, count), oldest first."""
    return ENTRY.iter_unpack(ledger)


def wait_for(ledger: bytes, draw: Draw, now: int) -> int:
    """Say how many seconds until this draw would be admitted; 0 means now."""
    wait = 0
    for limit in draw.limits:
        live = [
            (time, count)
            for time, tag, count in entries(ledger)
            if time > now - limit.window and (tag == draw.tag or not limit.of_one)
        ]
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


def left(ledger: bytes, draw: Draw, now: int) -> int:
    """Say how many more events the tightest limit admits now."""
    return min(
        max(
            0,
            limit.count
            - sum(
                count
                for time, tag, count in entries(ledger)
                if time > now - limit.window and (tag == draw.tag or not limit.of_one)
            ),
        )
        for limit in draw.limits
    )


def entered(ledger: bytes, draw: Draw, now: int) -> bytes:
    """Give the ledger with this event in it, and without what no window reaches any more."""
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


def refunded(ledger: bytes, refund: Refund) -> bytes:
    """Give the ledger without one event of that time and tag; unchanged if there is none."""
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

"""What is counted of events as they are written: by hour and day, and the people of a period.

So a quarter is read from some thousand rows, however many events it has. Two things are counted
that no sum of hours can tell: how many different people there were, and how long messages took.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event

Span = Literal["hour", "day", "week", "month"]
"""How long a counter counts: from the full hour, midnight, Monday, or the first, all in UTC."""
Label = Literal["method", "reason", "seconds", "people"]
"""What a counter tells events apart by; `people` counts people, and not events."""

HOUR: Final = 3600
DAY: Final = 86400
SPANS: Final[tuple[Span, ...]] = ("hour", "day", "week", "month")
ACTIVE: Final = frozenset({"session.created", "session.renewed"})
"""Who signs in is active."""
TIMED: Final = frozenset({"mail.sent", "sms.sent"})
"""Whose `details` tell in `seconds` how long it took from the request to the server."""

_TEXTS: Final = frozenset({"mail.deferred", "mail.failed", "sms.deferred", "sms.failed"})
"""Whose reason is a text of a server: there is no end of those."""
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_EXACT: Final = 120
"""Seconds from which on the times of messages are counted to two digits, as 130."""
_LONGEST: Final = 990
"""Seconds; a challenge lasts no longer than that, and no message after it is sent."""
_KEPT_DAYS: Final[dict[Span, int]] = {"hour": 0, "day": 8, "week": 15, "month": 39}


class CounterName(NamedTuple):
    """Which counter.

    Attributes:
        span: how long it counts.
        start: the unix second at which it begins to.
        kind: of the events; empty for people.
        label: what `value` is.
        value: a method or several joined by `+`, a reason, whole seconds; empty for none.
    """

    span: Span
    start: int
    kind: str
    label: Label
    value: str


@dataclass(frozen=True, slots=True)
class Counter:
    """How often it was.

    Attributes:
        name: which counter.
        count: the events, or people.
    """

    name: CounterName
    count: int


def start_of(span: Span, at: int) -> int:
    """Return the unix second at which the hour, day, week or month of a unix second begins."""
    if span == "hour":
        return at - at % HOUR
    day = at - at % DAY
    if span == "day":
        return day
    date = datetime.fromtimestamp(day, UTC)
    days = date.weekday() if span == "week" else date.day - 1
    return day - days * DAY


def counters_of(event: Event) -> tuple[CounterName, ...]:
    """Return the counters that an event counts in, besides those of `event_search.counted_as`."""
    hour, day = start_of("hour", event.at), start_of("day", event.at)
    method = event.method or "+".join(event.methods or ())
    found = [CounterName("day", day, event.kind, "method", method)]
    told: list[tuple[Label, str]] = []
    if event.reason is not None and event.kind not in _TEXTS and _WORD.fullmatch(event.reason):
        told.append(("reason", event.reason))
    if event.kind in TIMED and event.details is not None:
        seconds = event.details.get("seconds")
        if isinstance(seconds, int) and seconds >= 0:
            told.append(("seconds", str(round_seconds(seconds))))
    for label, value in told:
        found.append(CounterName("hour", hour, event.kind, label, value))
        found.append(CounterName("day", day, event.kind, label, value))
    return tuple(found)


def round_seconds(seconds: int) -> int:
    """Return seconds as they are counted: exact where it matters, and never more than 990."""
    if seconds <= _EXACT:
        return seconds
    return min(round(seconds, -1), _LONGEST)


def active_person(event: Event) -> tuple[str, int] | None:
    """Return who was active by an event, and when; `None` for nobody."""
    if event.kind in ACTIVE and event.user_id is not None:
        return event.user_id, event.at
    return None


def active_in(at: int) -> tuple[tuple[Span, int], ...]:
    """Return the day, week and month in which who was there at a unix second is counted."""
    return tuple((span, start_of(span, at)) for span in SPANS[1:])


def forgotten_before(span: Span, now: int) -> int:
    """Return before which start it is no longer known who was counted in a day, week or month.

    A week after its end: nothing is written so late that somebody could be counted twice.
    """
    return start_of("day", now) - _KEPT_DAYS[span] * DAY

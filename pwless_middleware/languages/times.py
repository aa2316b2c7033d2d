"""Times as people read them, in the language that is being written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text, duration_text

_MONTHS = (
    Text("January"),
    Text("February"),
    Text("March"),
    Text("April"),
    Text("May"),
    Text("June"),
    Text("July"),
    Text("August"),
    Text("September"),
    Text("October"),
    Text("November"),
    Text("December"),
)


def format_duration(seconds: int) -> str:
    """Return a duration, rounded up: `5 minutes`."""
    return translate(duration_text(seconds))


UNITS: Final = (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
"""What a number of seconds is entered in, the greatest first."""


def unit_of(seconds: int) -> tuple[int, str]:
    """Return a number of seconds in the greatest unit that it is a whole number of."""
    name, size = next((n, s) for n, s in UNITS if seconds % s == 0 and (seconds or s == 1))
    return seconds // size, name


def format_exactly(seconds: int) -> str:
    """Return a duration in one unit, not rounded: `90 minutes`."""
    return translate(exact_text(seconds))


def exact_text(seconds: int) -> Text:
    """Return the same as a text, for one that is translated later."""
    count, unit = unit_of(seconds)
    if unit == "days":
        return Text.for_count("%(n)s day", "%(n)s days", count)
    if unit == "hours":
        return Text.for_count("%(n)s hour", "%(n)s hours", count)
    if unit == "minutes":
        return Text.for_count("%(n)s minute", "%(n)s minutes", count)
    return Text.for_count("%(n)s second", "%(n)s seconds", count)


def format_time(at: int) -> str:
    """Return a point in time in UTC, the same for all locales of the server.

    In English: `3 May 2026, 06:12 UTC`.

    Args:
        at: unix seconds.
    """
    when = datetime.fromtimestamp(at, UTC)
    time = when.strftime("%H:%M")
    return translate(
        Text(
            "%(day)s %(month)s %(year)s, %(time)s UTC",
            day=when.day,
            month=_MONTHS[when.month - 1],
            year=when.year,
            time=time,
        )
    )


def format_date(at: int) -> str:
    """Return the day of a point in time in UTC: `3 May 2026`.

    Args:
        at: unix seconds.
    """
    when = datetime.fromtimestamp(at, UTC)
    return translate(
        Text(
            "%(day)s %(month)s %(year)s",
            day=when.day,
            month=_MONTHS[when.month - 1],
            year=when.year,
        )
    )


def format_iso(at: int) -> str:
    """Return a point in time as `<time datetime>` has it: `2026-05-03T06:12:00Z`.

    Args:
        at: unix seconds.
    """
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_ago(at: int, now: int) -> str:
    """Return how long ago a point in time was, rounded down: `3 days ago`, or `just now`."""
    passed = now - at
    if passed >= 86400:
        return translate(Text.for_count("%(n)s day ago", "%(n)s days ago", passed // 86400))
    if passed >= 3600:
        return translate(Text.for_count("%(n)s hour ago", "%(n)s hours ago", passed // 3600))
    if passed >= 60:
        return translate(Text.for_count("%(n)s minute ago", "%(n)s minutes ago", passed // 60))
    return translate(Text("just now"))

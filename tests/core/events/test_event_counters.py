"""The spans that events are counted by."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pwless_middleware.core.events.event_counters import Span, round_seconds, start_of


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("span", "time", "start"),
    [
        ("hour", "2026-07-15T12:59:59", "2026-07-15T12:00"),
        ("day", "2026-07-15T00:00", "2026-07-15"),
        ("week", "2026-07-13T00:00", "2026-07-13"),
        ("week", "2026-07-12T23:59:59", "2026-07-06"),
        ("week", "2026-01-01T05:00", "2025-12-29"),
        ("month", "2026-02-28T23:59:59", "2026-02-01"),
        ("month", "2026-12-31T00:00", "2026-12-01"),
        ("month", "1970-01-01T00:00", "1970-01-01"),
    ],
)
def test_a_span_begins_in_utc(span: Span, time: str, start: str) -> None:
    assert start_of(span, at(time)) == at(start)


@pytest.mark.parametrize("seconds", [0, 1, 119, 120])
def test_short_times_are_exact(seconds: int) -> None:
    assert round_seconds(seconds) == seconds


def test_long_times_have_few_values() -> None:
    assert len({round_seconds(seconds) for seconds in range(100_000)}) < 220
    assert round_seconds(124) == 120
    assert round_seconds(10**9) == 990

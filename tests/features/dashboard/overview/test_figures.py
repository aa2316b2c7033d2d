"""Counters become the numbers of a time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pwless_middleware.core.events.event_counters import DAY, HOUR, Counter, CounterName, Label
from pwless_middleware.core.events.event_search import EventCount
from pwless_middleware.features.dashboard.overview.figures import quantile, sum_up
from pwless_middleware.features.dashboard.overview.ranges import RANGES

NOON = 1_800_000_000 // DAY * DAY + DAY // 2


@pytest.mark.parametrize("name", RANGES)
def test_a_range_ends_with_the_current_hour_or_day(name: str) -> None:
    chosen = RANGES[name]
    starts = chosen.starts(NOON + 1)
    assert len(starts) == chosen.bars
    assert starts[-1] == (NOON if name == "day" else NOON - DAY // 2)
    assert {b - a for a, b in pairwise(starts)} == {chosen.step}


@pytest.mark.parametrize(
    ("counts", "share", "value"),
    [
        ({}, 0.5, None),
        ({3: 1}, 0.5, 3),
        ({1: 1, 9: 1}, 0.5, 1),
        ({1: 1, 2: 1, 9: 1}, 0.5, 2),
        ({1: 94, 2: 1, 60: 5}, 0.95, 2),
        ({1: 94, 60: 6}, 0.95, 60),
        ({0: 5}, 0.95, 0),
    ],
)
def test_a_quantile_is_a_value_that_there_is(
    counts: dict[int, int], share: float, value: int | None
) -> None:
    assert quantile(counts, share) == value


def counter(at: int, kind: str, label: Label, value: str, count: int) -> Counter:
    return Counter(CounterName("day", at, kind, label, value), count)


def test_days_are_summed_and_the_time_before_is_only_compared() -> None:
    today = NOON - DAY // 2
    figures = sum_up(
        (today - DAY, today),
        [
            counter(today - 2 * DAY, "session.created", "method", "passkey", 7),
            counter(today - 2 * DAY, "login.refused", "reason", "denied", 7),
            counter(today - 2 * DAY, "", "people", "", 7),
            counter(today - DAY, "session.created", "method", "passkey", 1),
            counter(today - DAY, "session.created", "method", "email_code", 2),
            counter(today, "session.created", "method", "passkey", 3),
            counter(today, "login.refused", "method", "", 4),
            counter(today, "login.refused", "reason", "denied", 4),
            counter(today, "mail.sent", "seconds", "2", 5),
            counter(today, "", "people", "", 6),
        ],
    )
    assert figures.bars("session.created") == [3, 3]
    assert figures.bars("session.created", "login.refused", "step.wrong") == [3, 7]
    assert figures.bars("step.wrong") == [0, 0]
    assert figures.total("session.created") == 6
    assert figures.signed_in_before == 7
    assert figures.methods["session.created", "passkey"] == 4
    assert figures.reasons == {("login.refused", "denied"): 4}
    assert figures.quantile("mail.sent", 0.95) == 2
    assert figures.people == [0, 6]


def test_hours_have_their_methods_from_the_counts_of_hours() -> None:
    figures = sum_up(
        (NOON - HOUR, NOON),
        [Counter(CounterName("hour", NOON, "login.refused", "reason", "denied"), 2)],
        [
            EventCount(NOON - 2 * HOUR, "session.created", "passkey", 1),
            EventCount(NOON, "session.created", "passkey", 5),
            EventCount(NOON, "login.refused", None, 2),
        ],
    )
    assert figures.bars("session.created") == [0, 5]
    assert figures.bars("login.refused") == [0, 2]
    assert figures.signed_in_before == 1

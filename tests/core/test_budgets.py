"""Budgets: the sliding window is never exceeded, the wait is exact, and a refund takes back one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.budgets import (
    ENTRY,
    Draw,
    Limit,
    Refund,
    entered,
    entries,
    left,
    refunded,
    wait_for,
)

limits = st.lists(
    st.builds(Limit, st.integers(0, 5), st.integers(1, 40), st.booleans()), min_size=1, max_size=3
)
knocks = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=60)


def admits(events: list[tuple[int, int]], limit: Limit, tag: int, now: int) -> bool:
    """Say by brute force whether one more event fits."""
    live = [t for t, who in events if t > now - limit.window and (who == tag or not limit.of_one)]
    return len(live) < limit.count


@given(limits, knocks)
def test_the_ledger_admits_exactly_what_the_plain_rule_admits(
    rules: list[Limit], knocks: list[tuple[int, int]]
) -> None:
    ledger, events, now = b"", list[tuple[int, int]](), 1000
    for pause, tag in knocks:
        now += pause
        draw = Draw("k", tuple(rules), tag=tag)
        may = all(admits(events, limit, tag, now) for limit in rules)
        wait = wait_for(ledger, draw, now)
        assert (wait == 0) is may
        room = [
            limit.count
            - sum(t > now - limit.window and (who == tag or not limit.of_one) for t, who in events)
            for limit in rules
        ]
        assert left(ledger, draw, now) == max(0, min(room))
        if may:
            ledger = entered(ledger, draw, now)
            events.append((now, tag))
        elif all(limit.count for limit in rules):
            later, early = now + wait, now + wait - 1
            assert all(admits(events, limit, tag, later) for limit in rules), "the wait is enough"
            assert not all(admits(events, limit, tag, early) for limit in rules), "and needed"
    for limit in rules:
        for start, _ in events:
            inside = [who for t, who in events if start <= t < start + limit.window]
            most = max(Counter(inside).values()) if limit.of_one else len(inside)
            assert most <= limit.count, "in no window at all"


@given(st.integers(1, 20), st.integers(1, 10), knocks)
def test_a_rounded_ledger_is_small_and_never_admits_more_in_a_window_less_its_rounding(
    count: int, quantum: int, knocks: list[tuple[int, int]]
) -> None:
    window, ledger, events, now = 40, b"", list[int](), 1000
    for pause, tag in knocks:
        now += pause
        draw = Draw("k", (Limit(count, window),), tag=tag, quantum=quantum)
        if wait_for(ledger, draw, now) == 0:
            ledger = entered(ledger, draw, now)
            events.append(now)
        assert len(ledger) // ENTRY.size <= 3 * (window // quantum + 1)
    for start in events:
        assert sum(start <= t < start + window - quantum + 1 for t in events) <= count


@given(knocks, st.data())
def test_a_refund_takes_back_one_event_of_its_time_and_tag_and_no_other(
    knocks: list[tuple[int, int]], data: st.DataObject
) -> None:
    ledger, now, model = b"", 1000, Counter[tuple[int, int]]()
    for pause, tag in knocks:
        now += pause
        draw = Draw("k", (Limit(1000, 10_000),), tag=tag)
        ledger = entered(ledger, draw, now)
        model[now, tag] += 1
        if data.draw(st.booleans()):
            at, who = data.draw(st.sampled_from([*model, (now + 1, 0), (999, 2)]))
            refund = Refund.of(Draw("k", draw.limits, tag=who), at)
            ledger = refunded(ledger, refund)
            model -= Counter({(at, who): 1})
        found = Counter({(time, tag): n for time, tag, n in entries(ledger)})
        assert found == model


def test_an_entry_that_is_full_is_followed_by_another() -> None:
    draw = Draw("k", (Limit(200_000, 100),))
    full = ENTRY.pack(1000, 0, 0xFFFF)
    assert [n for *_, n in entries(entered(full, draw, 1000))] == [0xFFFF, 1]


def test_a_limit_of_nothing_admits_nothing_and_waits_its_window() -> None:
    draw = Draw("k", (Limit(0, 60),))
    assert wait_for(b"", draw, 1000) == 60
    assert left(b"", draw, 1000) == 0


def test_an_overfilled_ledger_waits_for_as_many_as_are_too_many() -> None:
    """A limit that was lowered, or a clock that was stepped back."""
    ledger = b""
    for at in (1000, 1010, 1020):
        ledger = entered(ledger, Draw("k", (Limit(9, 60),)), at)
    assert wait_for(ledger, Draw("k", (Limit(2, 60),)), 1030) == 40
    assert wait_for(ledger, Draw("k", (Limit(1, 60),)), 1030) == 50


def test_a_clock_that_steps_back_never_waits_longer_than_the_window() -> None:
    draw = Draw("k", (Limit(1, 60),))
    ledger = entered(b"", draw, 5000)
    assert wait_for(ledger, draw, 1000) == 60

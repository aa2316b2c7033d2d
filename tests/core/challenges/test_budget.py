"""Budgets: the sliding window is never exceeded, the wait is exact, and a refund takes back one."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.challenges.budget import (
    ENTRY,
    EXACT,
    Draw,
    Limit,
    Refund,
    apply_refund,
    count_left,
    draws_on,
    enter,
    entries,
    wait_for,
)

MASKS = st.sampled_from([0, 0xFFFFFFFF, 0xFFF00000])
limits = st.lists(
    st.builds(Limit, st.integers(0, 5), st.integers(1, 40), MASKS), min_size=1, max_size=3
)
TAGS = st.sampled_from([0, 1, 0x00100001, 0xFFF00001])
knocks = st.lists(st.tuples(st.integers(0, 12), TAGS), max_size=60)


def admits(events: list[tuple[int, int]], limit: Limit, tag: int, now: int) -> bool:
    """Whether one more event fits, by brute force."""
    live = [t for t, who in events if t > now - limit.window and same(who, tag, limit)]
    return len(live) < limit.count


def same(who: int, tag: int, limit: Limit) -> bool:
    return who & limit.mask == tag & limit.mask


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
            limit.count - sum(t > now - limit.window and same(who, tag, limit) for t, who in events)
            for limit in rules
        ]
        assert count_left(ledger, draw, now) == max(0, min(room))
        if may:
            ledger = enter(ledger, draw, now)
            events.append((now, tag))
        elif all(limit.count for limit in rules):
            later, early = now + wait, now + wait - 1
            assert all(admits(events, limit, tag, later) for limit in rules), "the wait is enough"
            assert not all(admits(events, limit, tag, early) for limit in rules), "and needed"
    for limit in rules:
        for start, _ in events:
            window = range(start, start + limit.window)
            inside = Counter(who & limit.mask for t, who in events if t in window)
            assert max(inside.values()) <= limit.count, "in no window at all"


@given(st.integers(1, 20), st.integers(1, 10), knocks)
def test_a_rounded_ledger_is_small_and_never_admits_more_in_a_window_less_its_rounding(
    count: int, quantum: int, knocks: list[tuple[int, int]]
) -> None:
    window, ledger, events, now = 40, b"", list[int](), 1000
    for pause, tag in knocks:
        now += pause
        draw = Draw("k", (Limit(count, window),), tag=tag, quantum=quantum)
        if wait_for(ledger, draw, now) == 0:
            ledger = enter(ledger, draw, now)
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
        ledger = enter(ledger, draw, now)
        model[now, tag] += 1
        if data.draw(st.booleans()):
            at, who = data.draw(st.sampled_from([*model, (now + 1, 0), (999, 2)]))
            refund = Refund.of(Draw("k", draw.limits, tag=who), at)
            ledger = apply_refund(ledger, refund)
            model -= Counter({(at, who): 1})
        found = Counter({(time, tag): n for time, tag, n in entries(ledger)})
        assert found == model


def test_an_entry_that_is_full_is_followed_by_another() -> None:
    draw = Draw("k", (Limit(200_000, 100),))
    full = ENTRY.pack(1000, 0, 0xFFFF)
    assert [n for *_, n in entries(enter(full, draw, 1000))] == [0xFFFF, 1]


def test_a_limit_of_nothing_admits_nothing_and_waits_its_window() -> None:
    draw = Draw("k", (Limit(0, 60),))
    assert wait_for(b"", draw, 1000) == 60
    assert count_left(b"", draw, 1000) == 0


def test_an_overfilled_ledger_waits_for_as_many_as_are_too_many() -> None:
    """A limit that was lowered, or a clock that was stepped back."""
    ledger = b""
    for at in (1000, 1010, 1020):
        ledger = enter(ledger, Draw("k", (Limit(9, 60),)), at)
    assert wait_for(ledger, Draw("k", (Limit(2, 60),)), 1030) == 40
    assert wait_for(ledger, Draw("k", (Limit(1, 60),)), 1030) == 50


def test_a_clock_that_steps_back_never_waits_longer_than_the_window() -> None:
    draw = Draw("k", (Limit(1, 60),))
    ledger = enter(b"", draw, 5000)
    assert wait_for(ledger, draw, 1000) == 60


def admitted(limits: list[Limit], times: list[tuple[int, int]]) -> tuple[int, int]:
    """Count what these limits admit of (time, tag), and the entries of the largest ledger."""
    ledgers: dict[str, bytes] = {}
    count = 0
    for now, tag in times:
        draws = draws_on("k", limits, tag)
        if any(wait_for(ledgers.get(d.key, b""), d, now) for d in draws):
            continue
        count += 1
        for d in draws:
            ledgers[d.key] = enter(ledgers.get(d.key, b""), d, now)
    return count, max(len(ledger) // ENTRY.size for ledger in ledgers.values())


def test_a_ledger_has_at_most_some_hundred_entries_however_large_its_numbers_are() -> None:
    """A raised limit must not make each mail as dear as the number is large."""
    limits = [Limit(60_000, 60), Limit(60_000, 900), Limit(60_000, 86400), Limit(200, 3600)]
    limits.append(Limit(30_000, 86400, 0xFFFFFFFF))
    times = [(1_000_000 + n // 2, n % 50) for n in range(1200)]
    count, entries_of_largest = admitted(limits, times)
    assert count == 200
    assert entries_of_largest <= EXACT
    count, entries_of_largest = admitted(limits[:3], times)
    assert count == 1200
    assert entries_of_largest <= 101


def test_a_large_number_is_rounded_to_a_hundredth_of_its_window_and_never_exceeded_by_more() -> (
    None
):
    """300 in an hour, asked each second: 300 in any 3600 - 35 seconds, and never fewer than 300."""
    ledger, events = b"", list[int]()
    (draw,) = draws_on("k", [Limit(300, 3600)])
    assert draw.quantum == 36
    for now in range(1_000_000, 1_012_000):
        if wait_for(ledger, draw, now) == 0:
            ledger = enter(ledger, draw, now)
            events.append(now)
    for start in events:
        assert sum(start <= t < start + 3600 - 35 for t in events) <= 300
    assert len(events) >= 3 * 300


def test_a_share_of_a_large_number_counts_its_own_client_alone() -> None:
    limits = [Limit(1000, 86400), Limit(500, 86400, 0xFFFFFFFF)]
    limits.append(Limit(800, 86400, 0xFFF00000))
    keys = [{draw.key for draw in draws_on("k", limits, tag)} for tag in (1, 2)]
    assert len(keys[0] & keys[1]) == 1, "the common ledger"
    assert len(keys[0] ^ keys[1]) == 2, "and one for each client"


def test_small_numbers_share_one_ledger_and_are_exact() -> None:
    (draw,) = draws_on("k", [Limit(EXACT, 60), Limit(20, 86400), Limit(10, 86400, 0xFFFFFFFF)], 7)
    assert (draw.key, draw.quantum, draw.tag) == ("k", 1, 7)


def test_only_what_entered_is_refunded() -> None:
    enters, looks = Draw("a", (Limit(1, 60),)), Draw("b", (Limit(1, 60),), enters=False)
    mark = Draw.unless("c", since=5)
    assert Refund.of_all([enters, looks, mark], 9) == (Refund("a", 9),)

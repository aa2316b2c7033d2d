"""Ids of events: their order is that of time, as numbers and as texts."""

from __future__ import annotations

import pytest

from pwless_middleware.core.events.event_id import (
    NEWEST,
    SERIALS,
    first_number,
    format_event_id,
    parse_event_id,
)


def test_ids_are_ordered_by_time_and_then_by_count() -> None:
    ids = [
        format_event_id(at, serial)
        for at, serial in ((-1, 0), (0, 7), (1, 0), (1, 1), (1, SERIALS - 1), (2, 0), (1 << 40, 9))
    ]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    numbers = [parse_event_id(id) or 0 for id in ids]
    assert numbers == sorted(numbers)
    assert numbers[-1] <= NEWEST
    assert first_number(1) <= numbers[2] < first_number(2)


@pytest.mark.parametrize(
    "text", ["", "1", "g" * 16, "8" + "0" * 15, "A" * 16, "0" * 17, "0" * 16 + "\n"]
)
def test_another_text_is_no_id(text: str) -> None:
    assert parse_event_id(text) is None

"""How long events are kept: whole days, and no text for a flag."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware import EventRetention
from pwless_middleware.errors import ConfigError


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("days", bad) for bad in (0, -1, 3_661, 1.5, True, "90", None)),
        *(("count_days", bad) for bad in (0, 3_661, "760")),
        *(("keep_addresses", bad) for bad in ("no", 0, None)),
    ],
)
def test_another_value_is_named(option: str, value: object) -> None:
    given: dict[str, Any] = {option: value}
    with pytest.raises(ConfigError) as raised:
        EventRetention(**given)
    assert raised.value.option == f"event_retention.{option}"


def test_a_day_and_ten_years_are_taken() -> None:
    assert EventRetention(days=1, count_days=3_660, keep_addresses=False).days == 1
    assert (EventRetention().days, EventRetention().keep_addresses) == (90, True)


def test_a_misspelled_option_is_named() -> None:
    with pytest.raises(ConfigError, match="did you mean days"):
        EventRetention(day=30)  # type: ignore[call-arg]

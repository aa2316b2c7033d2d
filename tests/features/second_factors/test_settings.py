"""The settings of second factors, and their ranges."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pwless_middleware.errors import ConfigError
from pwless_middleware.features.second_factors.settings import SETTINGS, make_rules, seconds_of

DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
BAD: dict[str, list[object]] = {
    "mfa": [None, True, "", "always"],
    "required_from": [-1, True, "2027-01-01", 1.5],
    "trusted_days": [None, -1, 31, True, 1.0],
    "reset_wait": [None, -1, 30 * 86400 + 1, True],
    "recovery_codes": [None, 1, "no"],
    "max_per_user": [None, 0, 11, True],
    "new_browser_mail": [None, 0],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_value_outside_its_range_is_named(name: str, value: object) -> None:
    with pytest.raises(ConfigError) as raised:
        make_rules({**DEFAULTS, name: value})
    assert raised.value.option == name


def test_who_has_one_is_asked_unless_something_else_is_set() -> None:
    rules = make_rules(DEFAULTS)
    assert (rules.mfa, rules.trusted_days, rules.max_per_user) == ("optional", 0, 10)
    assert not rules.are_required(0)


def test_required_holds_from_its_day_on() -> None:
    begins = seconds_of(date(2027, 1, 1))
    assert begins == datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    rules = make_rules({**DEFAULTS, "mfa": "required", "required_from": begins})
    assert not rules.are_required(begins - 1)
    assert rules.are_required(begins)
    assert make_rules({**DEFAULTS, "mfa": "required"}).are_required(0)


@pytest.mark.parametrize(
    "day", ["2027-01-01", 5, datetime(2027, 1, 1, tzinfo=UTC), date(1969, 1, 1)]
)
def test_a_day_is_a_date(day: object) -> None:
    with pytest.raises(ConfigError, match=r"datetime\.date"):
        seconds_of(day)


def test_what_cannot_be_read_closes() -> None:
    fallbacks = {setting.name: setting.fallback for setting in SETTINGS}
    rules = make_rules(fallbacks)
    assert rules.are_required(0)
    assert rules.trusted_days == 0

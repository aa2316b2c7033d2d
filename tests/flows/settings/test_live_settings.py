"""What a feature reads of its settings: what was given, set, left out, or not known."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pwless_middleware.core.operators.setting import Setting
from pwless_middleware.errors import ConfigError, Unavailable
from pwless_middleware.flows.settings.live_settings import LiveSettings

SETTINGS = (
    Setting(name="low", meaning="", kind="number", default=2, least=1, most=9),
    Setting(name="high", meaning="", kind="number", default=8, least=1, most=9),
    Setting(name="open", meaning="", kind="flag", default=True, closed=False),
)


def make(values: Mapping[str, object]) -> tuple[object, ...]:
    low, high = values["low"], values["high"]
    assert isinstance(low, int)
    assert isinstance(high, int)
    if low > high:
        raise ConfigError("high", f"set {low} or more")
    return (low, high, values["open"])


def live(**given: object) -> LiveSettings[tuple[object, ...]]:
    return LiveSettings("some", SETTINGS, make=make, given=given)


def test_nothing_holds_before_it_is_known() -> None:
    with pytest.raises(Unavailable):
        live()()


def test_code_comes_before_the_operator_and_the_operator_before_the_default() -> None:
    one = live(low=1)
    assert one.take({"low": 5, "high": 6, "gone": 1}) == []
    assert one() == (1, 6, True)
    assert one.admitted == {"high": 6}


@pytest.mark.parametrize(
    ("stored", "holds", "left_out"),
    [
        ({"low": 10, "open": True}, (2, 8, True), ["low"]),
        ({"open": "yes"}, (2, 8, False), ["open"]),
        ({"low": 5, "high": 4}, (5, 8, True), ["high"]),
        ({"low": 9, "open": True}, (2, 8, True), ["high"]),
    ],
)
def test_what_cannot_hold_is_left_out_and_named(
    stored: dict[str, int | str | bool], holds: tuple[object, ...], left_out: list[str]
) -> None:
    one = live()
    assert [error.option for error in one.take(stored)] == left_out
    assert one() == holds


def test_where_nothing_can_hold_nothing_does() -> None:
    one = live(low=9)
    assert [error.option for error in one.take({})] == ["high"]
    with pytest.raises(Unavailable):
        one()

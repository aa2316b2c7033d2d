"""One setting, and the record of all: what a value may be, and what changed."""

from __future__ import annotations

import pytest

from pwless_middleware.core.settings import (
    NO_SETTINGS,
    Setting,
    SettingChange,
    SettingsRecord,
    SettingValue,
    changes_between,
    read_values,
    write_values,
)
from pwless_middleware.errors import ConfigError

NUMBER = Setting(name="n", meaning="", kind="number", default=5, least=1, most=9)
MAYBE = Setting(name="m", meaning="", kind="number", default=None, least=1, most=9, optional=True)
FLAG = Setting(name="f", meaning="", kind="flag", default=True, closed=False)
CHOICE = Setting(name="c", meaning="", kind="choice", default="a", one_of=("a", "b"))
TEXTS = Setting(name="t", meaning="", kind="texts", default=("*",), closed=())


@pytest.mark.parametrize(
    ("setting", "value", "read"),
    [
        (NUMBER, 1, 1),
        (NUMBER, 9, 9),
        (MAYBE, None, None),
        (FLAG, False, False),
        (CHOICE, "b", "b"),
        (TEXTS, ["x", "y"], ("x", "y")),
        (TEXTS, [], ()),
    ],
)
def test_a_value_of_its_kind_is_read(setting: Setting, value: object, read: SettingValue) -> None:
    assert setting.read(value) == read


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        (NUMBER, 0, "n: set a whole number from 1 to 9"),
        (NUMBER, 10, "from 1 to 9"),
        (NUMBER, True, "from 1 to 9"),
        (NUMBER, 5.0, "from 1 to 9"),
        (NUMBER, None, "from 1 to 9"),
        (MAYBE, "x", "from 1 to 9, or null"),
        (FLAG, 1, "true or false"),
        (CHOICE, "d", "set a or b"),
        (CHOICE, [], "set a or b"),
        (TEXTS, "x", "a list of texts"),
        (TEXTS, ["x", 1], "a list of texts"),
        (TEXTS, ["x"] * 1001, "a list of texts"),
    ],
)
def test_any_other_value_says_what_to_set(setting: Setting, value: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        setting.read(value)


def test_what_cannot_be_read_falls_closed_where_the_default_is_open() -> None:
    assert (NUMBER.fallback, FLAG.fallback, TEXTS.fallback) == (5, False, ())


def test_what_changed_is_told_by_name() -> None:
    first = SettingsRecord(1, 0, "jo", {"a.x": 1, "a.y": ("*",), "a.z": True})
    second = SettingsRecord(2, 0, "jo", {"a.x": 2, "a.z": True, "b": "c"})
    assert changes_between(first, second) == (
        SettingChange("a.x", 1, 2),
        SettingChange("a.y", ("*",), None),
        SettingChange("b", None, "c"),
    )
    assert changes_between(NO_SETTINGS, NO_SETTINGS) == ()


def test_values_survive_being_written() -> None:
    values: dict[str, SettingValue] = {"b": ("ü", "x"), "a": False, "c": 3}
    assert read_values(write_values(values)) == values
    assert write_values({"b": 1, "a": 2}) == write_values({"a": 2, "b": 1})

"""One setting: what a value may be, and which of two is less strict."""

from __future__ import annotations

import pytest

from pwless_middleware.core.operators.setting import (
    Loosens,
    Setting,
    SettingValue,
    earlier,
    less,
    more,
)
from pwless_middleware.errors import ConfigError

NUMBER = Setting(name="n", meaning="", kind="number", default=5, least=1, most=9)
MAYBE = Setting(name="m", meaning="", kind="number", default=None, least=1, most=9, optional=True)
FLAG = Setting(name="f", meaning="", kind="flag", default=True, closed=False)
CHOICE = Setting(name="c", meaning="", kind="choice", default="a", one_of=("a", "b"))
TEXTS = Setting(name="t", meaning="", kind="texts", default=("*",), closed=())
TEXT = Setting(name="x", meaning="", kind="text", default="a", least=1, most=3)
SOME = Setting(name="o", meaning="", kind="texts", default=("a",), one_of=lambda: ("a", "b"))


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
        (TEXT, "abc", "abc"),
        (SOME, ["b", "a"], ("b", "a")),
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
        (TEXT, "", "x: set a text of 1 to 3 characters"),
        (TEXT, "abcd", "of 1 to 3 characters"),
        (TEXT, 2, "of 1 to 3 characters"),
        (SOME, ["c"], "o: set some of a, b"),
        (SOME, "a", "some of a, b"),
    ],
)
def test_any_other_value_says_what_to_set(setting: Setting, value: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        setting.read(value)


def test_what_cannot_be_read_falls_closed_where_the_default_is_open() -> None:
    assert (NUMBER.fallback, FLAG.fallback, TEXTS.fallback) == (5, False, ())


@pytest.mark.parametrize(
    ("loosens", "old", "new", "is_looser"),
    [
        (more, 5, 6, True),
        (more, 6, 5, False),
        (more, 5, None, True),
        (more, None, 5, False),
        (more, False, True, True),
        (more, True, False, False),
        (more, ("a",), ("a", "b"), True),
        (more, ("a", "b"), ("b",), False),
        (more, ("a", "b"), ("b", "a"), False),
        (less, 6, 5, True),
        (less, True, False, True),
        (earlier("off", "optional", "required"), "required", "optional", True),
        (earlier("off", "optional", "required"), "off", "required", False),
    ],
)
def test_a_change_that_is_less_strict_is_seen(
    loosens: Loosens, old: SettingValue, new: SettingValue, is_looser: bool
) -> None:
    setting = Setting(name="s", meaning="", kind="number", default=5, loosens=loosens)
    assert setting.is_looser(old, new) is is_looser
    assert not setting.is_looser(old, old)

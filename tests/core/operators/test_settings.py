"""The record of all settings: what changed, and how it is written."""

from __future__ import annotations

from pwless_middleware.core.operators.setting import SettingValue
from pwless_middleware.core.operators.settings import (
    NO_SETTINGS,
    SettingChange,
    SettingsRecord,
    changes_between,
    read_values,
    write_values,
)


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

"""Settings: what operators have set, in one record.

`core.operators.setting` says what one of them may be. The record is one for the whole installation,
with a version; each change makes the next version, and none is ever edited, so that the versions
are the history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.setting import SettingValue
from pwless_middleware.errors import ConfigError


@dataclass(frozen=True, slots=True)
class SettingsRecord:
    """All settings that operators have made, as of one version.

    Attributes:
        version: 1 for the first; each change adds one.
        at: unix seconds of the change that made it.
        by: who made that change.
        values: whole name (`email_login.lifetime`) to value; what is not here was not set, or was
            reset.
    """

    version: int
    at: int
    by: str
    values: Mapping[str, SettingValue] = field(repr=False)


NO_SETTINGS: Final = SettingsRecord(0, 0, "", {})
"""The record before the first change."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting as one change found and left it.

    Attributes:
        name: the whole name.
        old: what was set; `None` where nothing was.
        new: what is set; `None` where nothing is.
    """

    name: str
    old: SettingValue = field(repr=False)
    new: SettingValue = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingConflict:
    """One setting that somebody else has changed meanwhile.

    Attributes:
        name: the whole name.
        seen: what was set as it was looked at; `None` where nothing was.
        now: what is set; `None` where nothing is.
        version: of the settings that changed it last.
        at: unix seconds of that change.
        by: who made it.
    """

    name: str
    seen: SettingValue = field(repr=False)
    now: SettingValue = field(repr=False)
    version: int
    at: int
    by: str


class SettingsConflict(ConfigError):
    """Somebody else has changed the same setting meanwhile; nothing was done.

    Args:
        conflicts: each such setting, one at least.
    """

    def __init__(self, conflicts: Sequence[SettingConflict]) -> None:
        first = conflicts[0]
        # Values may be addresses, which no text of an error holds.
        super().__init__(
            first.name,
            f"{first.by} has changed it in version {first.version} of the settings: look at it "
            "again",
        )
        self.conflicts = tuple(conflicts)


def changes_between(older: SettingsRecord, newer: SettingsRecord) -> tuple[SettingChange, ...]:
    """Return what changed from one record to the next, by name."""
    names = sorted({*older.values, *newer.values})
    pairs = [(name, older.values.get(name), newer.values.get(name)) for name in names]
    return tuple(SettingChange(*pair) for pair in pairs if pair[1] != pair[2])


def write_values(values: Mapping[str, SettingValue]) -> str:
    """Return values as JSON, the same text for the same values."""
    return json.dumps(dict(values), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def read_values(text: str) -> dict[str, SettingValue]:
    """Read what `write_values` wrote; whether a value is admitted is not looked at."""
    found: dict[str, SettingValue] = {}
    for name, value in json.loads(text).items():
        found[name] = tuple(value) if isinstance(value, list) else value
    return found

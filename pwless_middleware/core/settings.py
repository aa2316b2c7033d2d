"""Settings: what an operator may change while the app runs, and the record that holds it.

A `Setting` says what one of them may be. The record is one for the whole installation, with a
version; each change makes the next version, and none is ever edited, so that the versions are the
history.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError

SettingValue = bool | int | str | tuple[str, ...] | None
"""What a setting can be; `None` where the setting may be without a value."""
SettingKind = Literal["flag", "number", "choice", "texts"]

MAX_TEXTS: Final = 1000
"""Texts that one setting may list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Describe one setting. What several of them may be together is the feature's to check.

    Args:
        name: as the option in code is named; `limits.per_day` is an option of an option.
        meaning: what it does, in a sentence.
        kind: `flag`, `number`, `choice` or `texts`.
        default: what holds where neither code nor operator says anything.
        least, most: of a number, both allowed; of texts, how few are enough.
        one_of: of a choice.
        optional: whether it may be `None`.
        closed: what holds where the database has a value that cannot be read, for a setting whose
            default would let more people in; `None` takes the default.
        personal: whether it may hold addresses, which events do not tell.
        outlasts: whether it stays as it is when an earlier version holds again.
    """

    name: str
    meaning: str
    kind: SettingKind
    default: SettingValue
    least: int = 0
    most: int = 0
    one_of: tuple[str, ...] = ()
    optional: bool = False
    closed: SettingValue = None
    personal: bool = False
    outlasts: bool = False

    @property
    def range(self) -> str:
        """What it may be, in words."""
        text = {
            "flag": "true or false",
            "number": f"a whole number from {self.least} to {self.most}",
            "choice": " or ".join(self.one_of),
            "texts": "a list of texts" + ", one at least" * (self.least > 0),
        }[self.kind]
        return f"{text}, or null" if self.optional else text

    @property
    def fallback(self) -> SettingValue:
        """What holds where the database has a value that cannot be read."""
        return self.default if self.closed is None else self.closed

    def read(self, value: object) -> SettingValue:
        """Return a value that came from JSON or from code, if it is of the kind and in the range.

        Raises:
            ConfigError: it is not; says what to set.
        """
        if value is None and self.optional:
            return None
        if self.kind == "flag" and isinstance(value, bool):
            return value
        if self.kind == "number" and type(value) is int and self.least <= value <= self.most:
            return value
        if self.kind == "choice" and isinstance(value, str) and value in self.one_of:
            return value
        if (
            self.kind == "texts"
            and isinstance(value, list | tuple)
            and (self.least <= len(value) <= MAX_TEXTS)
        ):
            texts = tuple(text for text in value if isinstance(text, str))
            if len(texts) == len(value):
                return texts
        raise ConfigError(self.name, f"set {self.range}")


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
    """Somebody else has changed meanwhile what was to be changed; nothing was done.

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

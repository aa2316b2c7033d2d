"""One setting: what it may be, and what a change of it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError

SettingValue = bool | int | str | tuple[str, ...] | None
"""What a setting can be; `None` where the setting may be without a value."""
SettingKind = Literal["flag", "number", "choice", "text", "texts"]
Unit = Literal["", "seconds", "days", "time"]
Loosens = Callable[[SettingValue, SettingValue], bool]
"""Whether a change from one value to another is less strict than what held before."""

_UNITS: Final[Mapping[Unit, str]] = {
    "": "",
    "seconds": ", in seconds",
    "days": ", in days",
    "time": ", in unix seconds",
}
MAX_TEXTS: Final = 1000
"""Texts that one setting may list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Describe one setting. What several of them may be together is the feature's to check.

    Args:
        name: as the option in code is named; `limits.per_day` is an option of an option.
        meaning: what it does, in a sentence.
        kind: `flag`, `number`, `choice`, `text` or `texts`.
        default: what holds where neither code nor operator says anything.
        least, most: of a number, both allowed; of a text, its characters; of texts, how few are
            enough.
        one_of: of a choice, and of texts that are chosen from a list; a function where they are
            found out with the first use. Empty (default) for any texts.
        optional: whether it may be `None`.
        closed: what holds where the database has a value that cannot be read, for a setting whose
            default would let more people in; `None` takes the default.
        personal: whether it may hold addresses, which events do not tell.
        outlasts: whether it stays as it is when an earlier version holds again.
        title: what people call it; empty (default) takes the name.
        unit: what a number counts: `seconds`, `days`, or `time`, which is unix seconds; empty
            (default) for things.
        effect: whom a change affects, and from when on, in a sentence; empty (default) says
            nothing.
        loosens: says whether a change is less strict than what held; `None` (default) where
            neither is.
        loosening: what such a change means, in a sentence.
        label: says what people call a choice; `None` (default) shows it as it is.
        unset: what people call `None`; empty (default) for a setting that cannot be without a
            value.
    """

    name: str
    meaning: str
    kind: SettingKind
    default: SettingValue
    least: int = 0
    most: int = 0
    one_of: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()
    optional: bool = False
    closed: SettingValue = None
    personal: bool = False
    outlasts: bool = False
    title: str = ""
    unit: Unit = ""
    effect: str = ""
    loosens: Loosens | None = field(default=None, compare=False, repr=False)
    loosening: str = ""
    label: Callable[[str], str] | None = field(default=None, compare=False, repr=False)
    unset: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """What may be chosen; empty where it is no choice."""
        return self.one_of() if callable(self.one_of) else self.one_of

    @property
    def range(self) -> str:
        """What it may be, in words."""
        choices = self.choices
        text = {
            "flag": "true or false",
            "number": f"a whole number from {self.least} to {self.most}{_UNITS[self.unit]}",
            "choice": " or ".join(choices),
            "text": f"a text of {self.least} to {self.most} characters",
            "texts": (f"some of {', '.join(choices)}" if choices else "a list of texts")
            + ", one at least" * (self.least > 0),
        }[self.kind]
        return f"{text}, or null" if self.optional else text

    @property
    def fallback(self) -> SettingValue:
        """What holds where the database has a value that cannot be read."""
        return self.default if self.closed is None else self.closed

    def is_looser(self, old: SettingValue, new: SettingValue) -> bool:
        """Whether a change from one value to another is less strict than what held."""
        return self.loosens is not None and old != new and self.loosens(old, new)

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
        if self.kind == "choice" and isinstance(value, str) and value in self.choices:
            return value
        if self.kind == "text" and isinstance(value, str) and self.least <= len(value) <= self.most:
            return value
        if (
            self.kind == "texts"
            and isinstance(value, list | tuple)
            and (self.least <= len(value) <= MAX_TEXTS)
        ):
            choices = self.choices
            texts = tuple(t for t in value if isinstance(t, str) and (not choices or t in choices))
            if len(texts) == len(value):
                return texts
        raise ConfigError(self.name, f"set {self.range}")


# --- which of two values is less strict --------------------------------------------------------


def more(old: SettingValue, new: SettingValue) -> bool:
    """Whether a number became greater, a flag was switched on, or a list got a further text.

    `None` is greater than any number: there is no bound.
    """
    if isinstance(new, tuple):
        return not isinstance(old, tuple) or not set(new) <= set(old)
    return old is not None and (new is None or _rank(new) > _rank(old))


def less(old: SettingValue, new: SettingValue) -> bool:
    """Whether a number became smaller, or a flag was switched off."""
    return more(new, old)


def earlier(*words: str) -> Loosens:
    """Return what says whether a choice moved towards the first of some words."""
    return lambda old, new: _place(new, words) < _place(old, words)


def _rank(value: SettingValue) -> int:
    return value if isinstance(value, int) else 0


def _place(value: SettingValue, words: tuple[str, ...]) -> int:
    return words.index(value) if isinstance(value, str) and value in words else len(words)

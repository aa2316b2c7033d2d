"""The settings of one feature, as they are now: read without I/O, whenever they are needed.

    rules = LiveSettings("email_login", SETTINGS, make=make_rules, given={"lifetime": 120})
    return Mounted(..., settings=rules)         # and from then on, at each use:
    rules().lifetime

An option that was given in code is fixed. One that was not is what an operator has set, or else its
default. What the feature makes of all of them together is made once for each change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from pwless_middleware.core.operators.setting import Setting, SettingValue
from pwless_middleware.errors import ConfigError, Unavailable

T = TypeVar("T", covariant=True)


class LiveSettings(Generic[T]):
    """Hold what a feature's settings are now; called, it returns that.

    Args:
        name: how the whole names of the settings begin, e.g. `email_login`.
        settings: which there are.
        make: makes of all values, by name, what the feature reads; raises `ConfigError`, with the
            name of a setting, where they do not go together.
        given: those that were given in code, with their values.
        title: what people call these settings; empty (default) takes the name.

    Attributes:
        settings: by name.
        given: as above.
        admitted: what operators have set, as far as it holds.
    """

    def __init__(
        self,
        name: str,
        settings: Sequence[Setting],
        *,
        make: Callable[[Mapping[str, object]], T],
        given: Mapping[str, object],
        title: str = "",
    ) -> None:
        self.name = name
        self.title = title
        self.settings = {setting.name: setting for setting in settings}
        self.given = dict(given)
        self._make = make
        self.admitted: dict[str, SettingValue] = {}
        self._current: T | None = None

    def __call__(self) -> T:
        """Return what holds now.

        Raises:
            Unavailable: what operators have set is not known here yet. The default must not hold
                meanwhile: it would let everybody in where an operator has named a few.
        """
        current = self._current
        if current is None:
            raise Unavailable
        return current

    def values(self, stored: Mapping[str, SettingValue]) -> dict[str, object]:
        """Return every value as it is with what operators have set."""
        return {
            name: self.given[name] if name in self.given else stored.get(name, setting.default)
            for name, setting in self.settings.items()
        }

    def of(self, stored: Mapping[str, SettingValue]) -> T:
        """Return what would hold with what operators would set.

        Raises:
            ConfigError: it cannot hold together with all else; with the setting's name and what to
                set instead.
        """
        return self._make(self.values(stored))

    def check(self, stored: Mapping[str, SettingValue]) -> None:
        """Refuse what operators would set, if it cannot hold together with all else.

        Raises:
            ConfigError: with the setting's name and what to set instead.
        """
        self.of(stored)

    def take(self, stored: Mapping[str, SettingValue]) -> list[ConfigError]:
        """Let hold what operators have set.

        What this version of the code or its options do not admit any more is left out: the default
        holds then, or what is closed (`Setting.closed`).

        Returns:
            What was left out, and why.
        """
        problems: list[ConfigError] = []
        admitted: dict[str, SettingValue] = {}
        for name, setting in self.settings.items():
            if name in stored and name not in self.given:
                try:
                    admitted[name] = setting.read(stored[name])
                except ConfigError as error:
                    problems.append(error)
                    admitted[name] = setting.fallback
        while True:
            try:
                self._current = self._make(self.values(admitted))
            except ConfigError as error:
                problems.append(error)
                if not any(self._leave_out(name, admitted) for name in (error.option, *admitted)):
                    self._current = None  # nothing that may hold is left
                    return problems
            else:
                self.admitted = admitted
                return problems

    def _leave_out(self, name: str, admitted: dict[str, SettingValue]) -> bool:
        """Put the fallback in the place of a value; false if it stands there already."""
        if name not in admitted or admitted[name] == self.settings[name].fallback:
            return False
        admitted[name] = self.settings[name].fallback
        return True

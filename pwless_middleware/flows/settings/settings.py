"""Settings for operators: read, changed, and taken back, with who did it and when."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.setting import Setting, SettingKind, SettingValue
from pwless_middleware.core.operators.settings import (
    NO_SETTINGS,
    SettingChange,
    SettingConflict,
    SettingsConflict,
    SettingsRecord,
    changes_between,
)
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.settings.current_settings import TOPIC, CurrentSettings
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.flows.signals.signals import Signals

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.settings import SettingsRepository

_LONGEST_DETAIL: Final = 200
_VERSIONS_AT_ONCE: Final = 100
"""Versions that are read at once, to find who changed a setting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentSetting:
    """One setting as it is now.

    Attributes:
        name: the whole name, e.g. `email_login.lifetime`.
        value: what holds; as given in code it may be a function.
        source: where it comes from: `code`, which fixes it, `database`, or `default`.
        kind: of value.
        default: what holds where nobody says anything.
        range: what it may be, in words.
        meaning: what it does, in a sentence.
        version: of the settings as they were read, for `Settings.set(..., seen=)`.
    """

    name: str
    value: object = field(repr=False)
    source: Literal["code", "database", "default"]
    kind: SettingKind
    default: SettingValue
    range: str
    meaning: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """One change of settings.

    Attributes:
        version: of the settings that it made.
        at: unix seconds.
        by: who made it.
        changes: each setting that it changed, as it was and as it is.
    """

    version: int
    at: int
    by: str
    changes: tuple[SettingChange, ...] = field(repr=False)


class Settings:
    """Read and change what holds while the app runs. Every change is checked as a whole.

    Args:
        current: keeps them current in this process.
        events: records changes.
        signals: tell other processes.
        clock: returns unix seconds.
    """

    def __init__(
        self,
        current: CurrentSettings,
        *,
        events: Events,
        signals: Signals,
        clock: Callable[[], int],
    ) -> None:
        self._current = current
        self._events = events
        self._signals = signals
        self._clock = clock

    async def list(self) -> Sequence[CurrentSetting]:
        """Return all settings, by name.

        Raises:
            StoreError: the database cannot be asked.
        """
        await self._current.load()
        found = [
            self._describe(group, setting)
            for group in self._current.groups.values()
            for setting in group.settings.values()
        ]
        return sorted(found, key=lambda one: one.name)

    async def get(self, name: str) -> CurrentSetting:
        """Return a setting.

        Raises:
            ConfigError: there is none of that name.
            StoreError: the database cannot be asked.
        """
        group, setting = self._find(name)
        await self._current.load()
        return self._describe(group, setting)

    async def record(self, version: int) -> SettingsRecord:
        """Return what operators had set as of a version.

        Args:
            version: which; 0 is before the first change.

        Raises:
            ConfigError: there is no such version, or no database.
            StoreError: the database cannot be asked.
        """
        if version == 0:
            return NO_SETTINGS
        if type(version) is int and version > 0:
            for record in await self._repository.list(before=version + 1, limit=1):
                if record.version == version:
                    return record
        raise ConfigError("version", f"there is no version {version!r} of the settings")

    async def set(
        self,
        values: Mapping[str, object],
        *,
        by: str = "python",
        seen: int | None = None,
        dry_run: bool = False,
    ) -> Sequence[SettingChange]:
        """Change settings, all of these together or none.

        It holds here at once and in every process within 100 ms. What a running login has begun
        with stays as it was.

        Args:
            values: whole name to value.
            by: who changes them, for history and audit; `python` by default.
            seen: the version (`CurrentSetting.version`) that the change was decided by. If one of
                these settings is another by now, nothing is changed; `None` (default) overwrites
                whatever is there.
            dry_run: whether to look at what would change, and change nothing; off by default.

        Returns:
            Each setting that is another now, as it was and as it is.

        Raises:
            SettingsConflict: somebody has changed one of them since `seen`; says who, and to what.
            ConfigError: a setting that there is not, that code has fixed, or whose value is not
                admitted, by itself or with the others; or there is no database.
            StoreError: the database cannot be asked; or other processes cannot be told, and hear
                of the change within 30 seconds.
        """
        read: dict[str, SettingValue] = {}
        for name, value in values.items():
            group, setting = self._find(name)
            if setting.name in group.given:
                raise ConfigError(name, "it is given in code, and fixed there")
            try:
                read[name] = setting.read(value)
            except ConfigError as error:
                raise ConfigError(name, error.problem) from None
        return await self._change(lambda values: {**values, **read}, by, seen, dry_run)

    async def reset(
        self,
        names: Iterable[str],
        *,
        by: str = "python",
        seen: int | None = None,
        dry_run: bool = False,
    ) -> Sequence[SettingChange]:
        """Take back what operators have set, so that the defaults hold.

        Args:
            names: whole names; one that was not set is left as it is.
            by, seen, dry_run: as for `set`.

        Returns:
            As `set`.

        Raises:
            SettingsConflict, ConfigError, StoreError: as `set`.
        """
        gone = frozenset((names,) if isinstance(names, str) else names)
        for name in gone - self._current.record.values.keys():
            self._find(name)

        def change(values: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
            return {name: value for name, value in values.items() if name not in gone}

        return await self._change(change, by, seen, dry_run)

    async def revert(
        self, version: int, *, by: str = "python", seen: int | None = None, dry_run: bool = False
    ) -> Sequence[SettingChange]:
        """Let the settings of an earlier version hold again, as a new version.

        Sessions that were ended since then stay ended: `sessions.not_before` is left as it is.

        Args:
            version: which; 0 takes back everything that operators have set.
            by, seen, dry_run: as for `set`.

        Returns:
            As `set`.

        Raises:
            ConfigError: there is no such version, or its settings are not admitted any more.
            SettingsConflict, StoreError: as `set`.
        """
        old = await self.record(version)
        kept = {
            f"{group.name}.{setting.name}"
            for group in self._current.groups.values()
            for setting in group.settings.values()
            if setting.outlasts
        }

        def change(now: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
            again = {name: value for name, value in old.values.items() if name not in kept}
            return again | {name: value for name, value in now.items() if name in kept}

        return await self._change(change, by, seen, dry_run)

    async def history(self, *, before: int = 0, limit: int = 50) -> Sequence[SettingsChange]:
        """Return changes, the newest first.

        Args:
            before: the version of the last one of the page before; 0 begins.
            limit: how many at most.

        Raises:
            StoreError: the database cannot be asked.
            ConfigError: there is no database.
        """
        # One more than asked for: what a version changed shows beside the one before it.
        records = [*await self._repository.list(before=before, limit=limit + 1)]
        older = [*records, NO_SETTINGS][1:]
        return [
            SettingsChange(
                version=new.version, at=new.at, by=new.by, changes=changes_between(old, new)
            )
            for new, old in list(zip(records, older, strict=True))[:limit]
        ]

    @property
    def _repository(self) -> SettingsRepository:
        repository = self._current.repository
        if repository is None:
            raise ConfigError("database", 'settings need one: add database="sqlite:///pwless.db"')
        return repository

    async def _change(
        self,
        change: Callable[[Mapping[str, SettingValue]], dict[str, SettingValue]],
        by: str,
        seen: int | None,
        dry_run: bool,
    ) -> Sequence[SettingChange]:
        if not isinstance(by, str) or not 1 <= len(by) <= 100:
            raise ConfigError("by", "say in 1 to 100 characters who changes it")
        looked_at = await self.record(seen) if seen is not None else None
        while True:  # who is slower than somebody else makes the next version
            old = await self._repository.newest()
            values = change(old.values)
            # Null where that is the default is the same as not set.
            values = {name: value for name, value in values.items() if value is not None}
            new = SettingsRecord(old.version + 1, self._clock(), by, values)
            changes = changes_between(old, new)
            if not changes:
                if dry_run:
                    return changes
                break
            if looked_at is not None:
                await self._refuse_conflicts(looked_at, old, changes)
            self._check(new)
            if dry_run:
                return changes
            audit = [self._event(one, by) for one in changes]
            if await self._repository.add(new, audit=audit):
                self._current.take(new)
                for event in audit:
                    self._events.publish(event)
                break
        # Told even if it stood there already: whoever tells again may have failed to tell.
        await self._signals.tell(TOPIC)
        return changes

    async def _refuse_conflicts(
        self, seen: SettingsRecord, now: SettingsRecord, changes: Iterable[SettingChange]
    ) -> None:
        """Refuse a change of what is not as it was seen; other settings may have changed.

        Raises:
            SettingsConflict: something is another by now.
        """
        found = {
            one.name: SettingConflict(
                name=one.name,
                seen=seen.values.get(one.name),
                now=now.values.get(one.name),
                version=now.version,
                at=now.at,
                by=now.by,
            )
            for one in changes
            if one.old != seen.values.get(one.name)
        }
        if not found:
            return
        unnamed = set(found)
        for before in range(now.version + 1, seen.version + 1, -_VERSIONS_AT_ONCE):
            for made in await self.history(before=before, limit=_VERSIONS_AT_ONCE):
                for name in unnamed & {one.name for one in made.changes}:
                    unnamed.discard(name)
                    found[name] = replace(found[name], version=made.version, at=made.at, by=made.by)
            if not unnamed:
                break
        raise SettingsConflict(list(found.values()))

    def _check(self, record: SettingsRecord) -> None:
        for group in self._current.groups.values():
            try:
                group.check(self._current.of_group(group.name, record))
            except ConfigError as error:
                raise ConfigError(f"{group.name}.{error.option}", error.problem) from None

    def _event(self, change: SettingChange, by: str) -> Event:
        details: dict[str, str] = {"name": change.name}
        if not self._is_personal(change.name):
            details["from"] = self._shorten(change.old)
            details["to"] = self._shorten(change.new)
        return self._events.make("settings.changed", by=by, details=details)

    def _shorten(self, value: SettingValue) -> str:
        return "" if value is None else json.dumps(value, ensure_ascii=False)[:_LONGEST_DETAIL]

    def _is_personal(self, name: str) -> bool:
        group, _, rest = name.partition(".")
        live = self._current.groups.get(group)
        setting = live.settings.get(rest) if live is not None else None
        return setting is None or setting.personal

    def _find(self, name: str) -> tuple[LiveSettings[object], Setting]:
        start, _, rest = name.partition(".") if isinstance(name, str) else ("", "", "")
        group = self._current.groups.get(start)
        setting = group.settings.get(rest) if group is not None else None
        if group is not None and setting is not None:
            return group, setting
        from difflib import get_close_matches  # nobody else's start pays for it

        names = [f"{g.name}.{s}" for g in self._current.groups.values() for s in g.settings]
        likely = get_close_matches(str(name), names, n=1)
        hint = f"; did you mean {likely[0]}?" if likely else ""
        raise ConfigError(str(name), f"there is no such setting{hint}")

    def _describe(self, group: LiveSettings[object], setting: Setting) -> CurrentSetting:
        is_fixed = setting.name in group.given
        is_set = setting.name in group.admitted
        return CurrentSetting(
            name=f"{group.name}.{setting.name}",
            value=group.values(group.admitted)[setting.name],
            source="code" if is_fixed else "database" if is_set else "default",
            kind=setting.kind,
            default=setting.default,
            range=setting.range,
            meaning=setting.meaning,
            version=self._current.record.version,
        )

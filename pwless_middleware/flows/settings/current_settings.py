"""What operators have set, kept current in this process.

Read as the process begins, again within 100 ms of a change (`flows.signals`), and now and then, for
the change whose signal was lost. A database that cannot be asked leaves what is known; before
anything is known there is nothing that may hold (`LiveSettings`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.operators.setting import SettingValue
from pwless_middleware.core.operators.settings import NO_SETTINGS, SettingsRecord
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.flows.signals.refresh import Refresh

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.settings import SettingsRepository

logger = logging.getLogger("pwless.settings")

TOPIC: Final = "settings"
"""The topic of the signal."""


class CurrentSettings:
    """Keep the settings of all features current.

    Args:
        repository: where operators' values are; `None` without a database: then none are.
    """

    def __init__(self, repository: SettingsRepository | None) -> None:
        self.repository = repository
        self.groups: dict[str, LiveSettings[object]] = {}
        self.record: SettingsRecord = NO_SETTINGS
        self.is_known = repository is None
        self._asked = 0
        self._holds_since = 0
        self._owners: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._refresh = Refresh(self._load_or_log)
        self._told: set[str] = set()

    # --- set-up --------------------------------------------------------------------------------

    def add(self, live: LiveSettings[object], *, by: str) -> None:
        """Keep the settings of a feature current.

        Raises:
            ConfigError: another one has settings of that name.
        """
        if live.name in self.groups:
            raise ConfigError(
                "features", f"{self._owners[live.name]} and {by} both have settings {live.name!r}"
            )
        self.groups[live.name], self._owners[live.name] = live, by
        if self.is_known:
            live.take({})

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have a function called whenever another version has begun to hold here."""
        self._listeners.append(listener)

    # --- reading -------------------------------------------------------------------------------

    async def require(self) -> None:
        """Return once what operators have set holds here, at once in all but the first moments.

        Raises:
            Unavailable: it is not known, and cannot be read.
        """
        if not self.is_known:
            await self.load()

    async def load(self) -> SettingsRecord:
        """Read what operators have set, let it hold here, and return it.

        Raises:
            StoreError: the database cannot be asked.
        """
        if self.repository is not None:
            self._asked += 1
            asked = self._asked
            record = await self.repository.newest()
            if asked > self._holds_since:  # else a slow answer would take back what came since
                self._take(record)
                self._holds_since = asked
        return self.record

    def take(self, record: SettingsRecord) -> None:
        """Let a record hold in this process, whatever is being read just now."""
        self._holds_since = self._asked
        self._take(record)

    def _take(self, record: SettingsRecord) -> None:
        is_new = record.version != self.record.version or not self.is_known
        self.record = record
        for group in self.groups.values():
            if is_new:
                self._tell(group.name, group.take(self.of_group(group.name)))
        self.is_known = True
        if is_new:
            for listener in self._listeners:
                listener()

    def of_group(self, name: str, record: SettingsRecord | None = None) -> dict[str, SettingValue]:
        """Return the values of one feature, by their names in it; `None` takes those that hold."""
        values = (record or self.record).values
        start = f"{name}."
        return {
            whole.removeprefix(start): value
            for whole, value in values.items()
            if whole.startswith(start)
        }

    # --- beside the requests -------------------------------------------------------------------

    def look(self) -> None:
        """Have every event loop of this process read the record soon; from any thread."""
        self._refresh.look()

    async def run(self) -> None:
        """Keep the record current in the running event loop, until cancelled."""
        if self.repository is not None:
            await self._refresh.run()

    async def _load_or_log(self) -> bool:
        try:
            await self.load()
        except (StoreError, ConfigError) as error:
            known = f"those of version {self.record.version} hold" if self.is_known else "none hold"
            self._warn(f"the settings cannot be read, and {known}: {error}", "settings_unread")
            return False
        self._told = {text for text in self._told if not text.startswith("the settings cannot")}
        return True

    def _tell(self, group: str, problems: list[ConfigError]) -> None:
        for error in problems:
            self._warn(
                f"the setting {group}.{error.option} in the database is left out: {error.problem}",
                "setting_left_out",
            )

    def _warn(self, text: str, event: str) -> None:
        if text not in self._told:
            self._told.add(text)
            logger.warning("%s", text, extra={"event": event})

"""API keys for operators: made, listed, rotated and revoked (security rule 62)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.api_key import (
    ApiKey,
    check_key_name,
    check_scopes,
    digest_of_key,
    id_of_key,
    new_key_text,
)
from pwless_middleware.errors import ConfigError
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.operators.stored_keys import TOPIC
from pwless_middleware.flows.signals.signals import Signals

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.api_keys import ApiKeyRepository

DAY: Final = 86400
LONGEST_OVERLAP: Final = 30 * DAY


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key that was just made.

    Attributes:
        text: the key itself, which is kept nowhere: show it once.
        key: what is kept of it.
    """

    text: str = field(repr=False)
    key: ApiKey


class ApiKeys:
    """Make, list, rotate and revoke the API keys of the database.

    A name belongs to one backend for ever: a challenge belongs to the name of the key that sent it,
    and who is given a name later must not find what was another's.

    Args:
        repository: where they are; `None` without a database.
        events: records changes.
        signals: tell other processes.
        clock: returns unix seconds.
        names_in_code: of the keys in code, which cannot be given.
    """

    def __init__(
        self,
        repository: ApiKeyRepository | None,
        *,
        events: Events,
        signals: Signals,
        clock: Callable[[], int],
        names_in_code: Collection[str],
    ) -> None:
        self._given = repository
        self._events = events
        self._signals = signals
        self._clock = clock
        self._names_in_code = names_in_code

    async def create(
        self,
        name: str,
        *,
        scopes: Collection[str],
        expires_in: int | None = None,
        by: str = "python",
    ) -> NewApiKey:
        """Make a key for a backend.

        Args:
            name: the backend's, by which limits count and rules are named; never used before.
            scopes: what it may do, of `core.operators.api_key.SCOPES`.
            expires_in: seconds until it ends by itself; `None` (default) for no end.
            by: who makes it, for list and audit; `python` by default.

        Raises:
            ConfigError: the name is none or is taken, a scope is unknown, or there is no database.
            StoreError: the database cannot be asked.
        """
        check_key_name("name", name)
        scopes = check_scopes(scopes)
        _check_seconds("expires_in", expires_in, 60)
        _check_by(by)
        key, text = self._make(name, scopes, 1, expires_in, by)
        if name in self._names_in_code:
            raise ConfigError("name", f"{name!r} is a key in code: choose another name")
        details = {"name": name, "id": key.id, "scopes": " ".join(scopes)}
        audit = self._events.make("api_key.created", by=by, details=details)
        if not await self._repository.add(key, audit=audit):
            raise ConfigError("name", f"{name!r} is taken: rotate that key, or choose another name")
        self._events.publish(audit)
        return NewApiKey(text, key)

    async def list(self, *, after: tuple[str, int] = ("", 0), limit: int = 50) -> Sequence[ApiKey]:
        """Return keys by name, those that are over too.

        Args:
            after: name and generation of the last one of the page before; empty begins.
            limit: how many at most.

        Raises:
            ConfigError: there is no database.
            StoreError: the database cannot be asked.
        """
        return await self._repository.list(after=after, limit=limit)

    async def of_name(self, name: str) -> Sequence[ApiKey]:
        """Return all keys of a name, those that are over too, the newest first; empty for none.

        Raises:
            ConfigError: there is no database.
            StoreError: the database cannot be asked.
        """
        # No database takes a NUL.
        return await self._repository.of_name(name) if name.isprintable() else ()

    async def rotate(self, name: str, *, overlap: int = 0, by: str = "python") -> NewApiKey:
        """Make another key of a name, with the same scopes and as long a life.

        Args:
            name: the backend's.
            overlap: seconds that the old one goes on; to 30 days, 0 (default) ends it at once.
            by: as for `create`.

        Raises:
            ConfigError: there is no such key, or it was revoked; or there is no database.
            StoreError: the database cannot be asked; or other processes cannot be told, and take
                the old key for 30 more seconds at most: rotate it again.
        """
        _check_seconds("overlap", overlap, 0, LONGEST_OVERLAP)
        _check_by(by)
        while True:  # who is slower than somebody else makes the next one
            old = await self._newest(name)
            if old.revoked_at is not None:
                raise ConfigError("name", f"{name!r} was revoked: make a key of another name")
            life = None if old.expires_at is None else old.expires_at - old.created_at
            key, text = self._make(name, old.scopes, old.generation + 1, life, by)
            details: dict[str, str | int] = {"name": name, "id": key.id, "overlap": overlap}
            audit = self._events.make("api_key.rotated", by=by, details=details)
            if await self._repository.add(key, others_end=self._clock() + overlap, audit=audit):
                self._events.publish(audit)
                await self._signals.tell(TOPIC)
                return NewApiKey(text, key)

    async def revoke(self, name: str, *, by: str = "python") -> None:
        """End all keys of a name for ever, in every process within 100 ms, and their access tokens.

        Args:
            name: the backend's.
            by: as for `create`.

        Raises:
            ConfigError: there is no such key, or no database.
            StoreError: the database cannot be asked; or other processes cannot be told, and take
                the key for 30 more seconds at most: revoke it again.
        """
        _check_by(by)
        await self._newest(name)
        audit = self._events.make("api_key.revoked", by=by, details={"name": name})
        if await self._repository.revoke(name, at=self._clock(), audit=audit):
            self._events.publish(audit)
        await self._signals.tell(TOPIC)

    @property
    def _repository(self) -> ApiKeyRepository:
        if self._given is None:
            raise ConfigError(
                "database",
                'API keys need one: add database="sqlite:///pwless.db", or keep keys '
                "in code by api_keys=",
            )
        return self._given

    async def _newest(self, name: str) -> ApiKey:
        keys = await self.of_name(name) if isinstance(name, str) else ()
        if not keys:
            raise ConfigError("name", f"the database has no key {name!r}")
        return keys[0]

    def _make(
        self, name: str, scopes: tuple[str, ...], generation: int, life: int | None, by: str
    ) -> tuple[ApiKey, str]:
        text, now = new_key_text(), self._clock()
        key = ApiKey(
            id=id_of_key(text) or "",
            name=name,
            generation=generation,
            digest=digest_of_key(text),
            scopes=scopes,
            created_at=now,
            by=by,
            expires_at=None if life is None else now + life,
        )
        return key, text


def _check_seconds(option: str, value: object, least: int, most: int = 3660 * DAY) -> None:
    if value is None and least:
        return
    if type(value) is not int or not least <= value <= most:
        raise ConfigError(option, f"set whole seconds, {least} to {most}")


def _check_by(by: object) -> None:
    if not isinstance(by, str) or not 1 <= len(by) <= 100:
        raise ConfigError("by", "say in 1 to 100 characters who does it")

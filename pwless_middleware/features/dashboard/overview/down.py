"""What is down now, and since when: as this process sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import ConfigError, StoreError, Unavailable
from pwless_middleware.languages.current import translate
from pwless_middleware.stores.sql.store import SQLStore
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

SECONDS: Final = 1.0
"""How long one part may take to answer; the page waits for it."""
_NAMES: Final[Mapping[str, Text]] = {
    "database": Text("The database"),
    "store": Text("The store of sessions"),
    "queue": Text("The delivery queue"),
    "mail": Text("Email delivery"),
    "sms": Text("Delivery of text messages"),
}


@dataclass(frozen=True, slots=True)
class Down:
    """Something that does not work.

    Attributes:
        name: what it is called.
        since: unix seconds at which this process first saw it.
    """

    name: str
    since: int


class DownParts:
    """Look whether everything answers.

    What fails at work is noticed as it does: deliveries by the worker, the store by each question.
    The database and what features check are asked when somebody looks.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._since: dict[str, int] = {}
        kit.store_times.subscribe(self._note_store)

    async def find(self) -> list[Down]:
        """Return what is down now."""
        kit = self._kit
        looks: dict[str, Callable[[], Awaitable[None]]] = {self._store: kit.store.ping}
        if kit.database is not None:
            looks["database"] = kit.database.ping
        answers, features = await asyncio.gather(
            asyncio.gather(*(_answers(look) for look in looks.values())), kit.checks.down()
        )
        asked = dict(zip(looks, answers, strict=True))
        for name, is_up in (asked | dict.fromkeys(features, False)).items():
            self._note(name, is_up=is_up)
        for name in self._since.keys() - asked.keys() - {*features}:
            del self._since[name]
        found = dict(self._since)
        worker = {
            "queue": kit.delivery.queue_down_since,
            "mail": kit.delivery.down_since("mail"),
            "sms": kit.delivery.down_since("sms"),
        }
        if worker["queue"] is not None:  # then nothing goes out, and that is why
            worker["mail"] = worker["sms"] = None
        found |= {name: since for name, since in worker.items() if since is not None}
        return [
            Down(translate(_NAMES[name]) if name in _NAMES else name, since)
            for name, since in found.items()
        ]

    @cached_property
    def _store(self) -> str:
        """Which part the store is: of the database, where it stands there."""
        deployment = self._kit.findings.deployment
        is_there = deployment is not None and isinstance(deployment.store, SQLStore)
        return "database" if is_there else "store"

    def _note(self, name: str, *, is_up: bool) -> None:
        if is_up:
            self._since.pop(name, None)
        else:
            self._since.setdefault(name, self._kit.clock())

    def _note_store(self, verb: str, seconds: float, is_answered: bool) -> None:
        if is_answered is (self._store in self._since):
            self._note(self._store, is_up=is_answered)


async def _answers(look: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(SECONDS):
            await look()
    except (StoreError, Unavailable, ConfigError, TimeoutError):
        return False
    return True

"""Signals: something has changed, look again; heard in every process within 100 ms.

    signals.subscribe("settings", settings.forget)
    await signals.tell("settings")

A signal goes over the store's feed, as the drop of a record that never was. It says that something
changed and nothing of what, so that whoever hears one reads what counts now. Who keeps what it has
read relies on a signal only while the feed is live (`stores.base.Feed`).
"""

from __future__ import annotations

from collections.abc import Callable

from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.storage.store_keys import topic_signal, user_signal, user_slot
from pwless_middleware.stores.base import Drop, Store, Writes


class Signals:
    """Tell all processes that something has changed.

    Args:
        store: whose feed carries the signals.
        realm: of the deployment, as its keyring has it: deployments that share a store do not hear
            each other.
        clock: returns unix seconds.
    """

    def __init__(self, store: Store, realm: str, clock: Callable[[], int]) -> None:
        self._store = store
        self._realm = realm
        self._clock = clock
        self._callbacks: dict[str, list[Callable[[], None]]] = {}
        store.feed.subscribe(self._hear)

    @property
    def is_live(self) -> bool:
        """Whether every signal that was told more than 100 ms ago was heard here."""
        return self._store.feed.is_live()

    def subscribe(self, topic: str, callback: Callable[[], None]) -> None:
        """Have a callback called when a topic has changed, or may have.

        Args:
            topic: e.g. `settings`.
            callback: is called where the signal is heard, perhaps in another thread; must not wait.
        """
        self._callbacks.setdefault(topic_signal(self._realm, topic), []).append(callback)

    async def tell(self, topic: str) -> None:
        """Tell all processes, this one included, that a topic has changed.

        Raises:
            StoreError: the store could not be asked; who holds something may hold on to it as long
                as the feed is live.
        """
        await self._publish(topic_signal(self._realm, topic))

    async def tell_user(self, user_id: str) -> None:
        """Have all processes forget what they hold of a user's sessions.

        The sessions go on: with the next request of each, who the user is and whether they may go
        on is asked again.

        Raises:
            StoreError: as `tell`.
        """
        await self._publish(user_signal(user_slot(self._realm, user_id)))

    async def _publish(self, key: str) -> None:
        writes = Writes(drops=(Drop(key, publish=True),))
        await self._store.write(writes, now=self._clock(), op=new_operation())

    def _hear(self, key: str | None) -> None:
        if key is None:
            for callbacks in self._callbacks.values():
                for callback in callbacks:
                    callback()
        else:
            for callback in self._callbacks.get(key, ()):
                callback()

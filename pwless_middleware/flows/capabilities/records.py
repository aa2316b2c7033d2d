"""A feature's own records in the store: short-lived, bound, and out of reach of all others.

    states = kit.records("states")
    await states.put(state, b"...", ttl=600)
    found = await states.take(state)        # once: of two callers, one

A key in the store is made of the feature's name, the name of the records and the key that the
feature gives, as one digest, so that no feature can name a record of another one, nor of ours. Each
record is bound to its place by a MAC of a kind that nothing else has: what somebody has written to
the store, or moved in it, is as if it were not there, and a feature's record is no session. Eight
random bytes tell two writes of one value apart.

Records of one *group* are kept in one slot of a Redis Cluster, and can be listed together.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Keyring, new_operation
from pwless_middleware.core.storage.store_keys import feature_list, feature_record, feature_slot
from pwless_middleware.flows.capabilities.bound_records import open_record
from pwless_middleware.stores.base import Drop, Put, Store, Writes

MOST_BYTES: Final = 16_384
"""Bytes of a value, at most: the store is for what is small and short-lived."""
_NONCE_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class Record:
    """What stands in a feature's records under a key.

    Attributes:
        key: as the feature gave it.
        value: as the feature wrote it.
        group: the group that it belongs to; empty for none.
        stored: as it stands in the store; what `Records.swap` replaces.
    """

    key: str
    value: bytes = field(repr=False)
    group: str
    stored: bytes = field(repr=False)


class Records:
    """The records of one feature, of one kind. Every verb may raise `Unavailable`.

    A group, where one is given, is part of a record's name: it has to be given again.

    Args:
        store: where they stand.
        keyring: of the feature's own keys; binds them.
        clock: gives unix seconds.
        feature: whose.
        name: which of its records.
    """

    def __init__(
        self, store: Store, keyring: Keyring, clock: Callable[[], int], *, feature: str, name: str
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._feature = feature
        self._name = name

    async def put(self, key: str, value: bytes, *, ttl: int, group: str = "") -> None:
        """Write a record, replacing what is there.

        Args:
            key: any text.
            value: at most 16 KiB. Who can read the store can read it.
            ttl: seconds that it lives, at least 1.
            group: the list that it belongs to; empty (default) for none.
        """
        writes = self.writes(key, value, ttl=ttl, group=group)
        await self._store.write(writes, now=self._clock(), op=new_operation())

    async def add(self, key: str, value: bytes = b"", *, ttl: int, group: str = "") -> bool:
        """Write a record if there is none, and return whether it was written.

        Of any number of callers with one key, one hears true.
        """
        put, op = self._put(key, value, ttl, group), new_operation()
        now = self._clock()
        done = await self._store.admit((), put, job=None, replaces=None, now=now, op=op)
        return done.ok

    async def read(self, key: str, *, group: str = "") -> Record | None:
        """Return a record, or `None` if there is none."""
        place = self.place(key, group=group)
        return self._open(place, await self._store.read(place, now=self._clock()), group)

    async def take(self, key: str, *, group: str = "") -> Record | None:
        """Remove a record and return it, or `None` if there is none.

        Of any number of callers, one is given it. If it is swapped in the same moment, the one is
        given it as it was before.
        """
        record = await self.read(key, group=group)
        if record is None:
            return None
        place, now, op = self.place(key, group=group), self._clock(), new_operation()
        return record if await self._store.take(place, Writes(), now=now, op=op) else None

    async def swap(self, record: Record, value: bytes, *, ttl: int) -> Record | None:
        """Write a new value if the record still stands as it was read.

        Returns:
            The record as it stands then, or `None` if another one, or none, stood there.
        """
        put = self._put(record.key, value, ttl, record.group)
        if not await self._store.swap(put, replaces=record.stored, now=self._clock()):
            return None
        return Record(record.key, value, record.group, put.value)

    async def drop(self, key: str, *, group: str = "") -> None:
        """Remove a record; nothing happens if there is none."""
        drop = Drop(self.place(key, group=group), listed=self._list(group))
        await self._store.write(Writes(drops=(drop,)), now=self._clock(), op=new_operation())

    async def list(self, group: str) -> Sequence[Record]:
        """Return the live records of a group, in no particular order."""
        listed = self._list(group)
        if listed is None:
            raise ValueError("only records with a group are listed")
        rows = await self._store.read_list(listed, now=self._clock())
        found = [self._open(place, stored, group) for place, stored in rows]
        return [record for record in found if record is not None]

    def place(self, key: str, *, group: str = "") -> str:
        """Return a record's key in the store, for a `Proof` that is spent by taking the record."""
        if not group:
            return feature_record(self._slot("key", key))
        return feature_record(self._slot("group", group), key)

    def writes(self, key: str, value: bytes, *, ttl: int, group: str = "") -> Writes:
        """Return what writes a record as `put` does, for a write that is done by somebody else.

        `StepProof(..., then=records.writes(...))` remembers something as the step is taken, all or
        nothing.
        """
        return Writes(puts=(self._put(key, value, ttl, group),))

    # --- names and forms -----------------------------------------------------------------------

    def _slot(self, *parts: str) -> str:
        return feature_slot(self._keyring.realm, self._feature, self._name, *parts)

    def _list(self, group: str) -> str | None:
        return feature_list(self._slot("group", group)) if group else None

    def _put(self, key: str, value: bytes, ttl: int, group: str) -> Put:
        if ttl < 1:
            raise ValueError(f"ttl is {ttl}: a record lives for a second at least")
        if len(value) > MOST_BYTES:
            raise ValueError(f"a record holds at most {MOST_BYTES} bytes, not {len(value)}")
        place, name = self.place(key, group=group), key.encode()
        text = secrets.token_bytes(_NONCE_BYTES) + len(name).to_bytes(2, "big") + name + value
        stored = self._keyring.bind("feature", place, text, key_id=self._keyring.current)
        return Put(place, stored, self._clock() + ttl, self._list(group))

    def _open(self, place: str, stored: bytes | None, group: str) -> Record | None:
        text = open_record(self._keyring, "feature", place, stored, key_id=None)
        if text is None or stored is None:
            return None
        size = int.from_bytes(text[_NONCE_BYTES : _NONCE_BYTES + 2], "big")
        key, value = text[_NONCE_BYTES + 2 :][:size], text[_NONCE_BYTES + 2 + size :]
        return Record(key.decode(), value, group, stored)

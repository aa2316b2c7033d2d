"""The store contract: what the flows may rely on, whichever store is behind it.

    put = Put("{tag}challenge", b"record", until=now + 300)
    await store.admit(draws, put, job=b"a mail", replaces=None, now=now, op=new_operation())
    attempt = await store.attempt(draws, put.key, now=now, op=new_operation())
    session = Writes(puts=(Put("{tag}session", b"...", until=now + 3600),))
    is_mine = await store.take(put.key, session, now=now, op=new_operation())

A store keeps *records* (bytes under a key, until a time), *budgets* (`core.challenges.budget`),
*lists* of records, a queue of *jobs*, and a *feed* of what was dropped. It knows no login rules.
Its hot verbs are guarded writes, each atomic against all others and each one round trip on a single
Redis:

    admit     count these and, if all are within their limits, write this, with a job
    attempt   count these and, if all are within their limits, read that
    take      remove this and, if it was there, write these

Promises, for every store:

- Atomic: of any number of concurrent calls, `take` of one key says true to exactly one; no budget
  ever holds more events than its limits allow.
- Time is the caller's `now`, whole unix seconds. A record whose `until` is at or before `now` is
  absent for every verb, whether or not the store has thrown it away yet.
- `op` is the caller's random name for one operation. A call that comes twice with the same `op`
  within a minute has its effects once, and if it had any, gets the first answer again, so that a
  retry after a lost reply neither costs a try nor looks like "used". A call that changed nothing
  (refused, absent, a conflict) is simply asked again. An `admit` with `replaces=None` needs no
  memory of its `op`: its key is fresh and random, and the record standing there is the proof.
- Absent is an answer (`None`, `False`, an empty list), never an error. `StoreError` means that the
  store could not be asked or is full; the write may or may not have happened.
- Nothing live is ever thrown away to make room: a full store refuses to write.

Keys hold digests only. Keys that begin with the same `{tag}` live in one slot of a Redis Cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Protocol, runtime_checkable

from pwless_middleware.core.challenges.budget import Draw, Refund
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.storage.job import Jobs


@dataclass(frozen=True, slots=True)
class Put:
    """Write a record, replacing what is there.

    Attributes:
        key: where.
        value: what, any bytes.
        until: unix seconds at which the record is absent again.
        listed: the list to which the record belongs; `None` for none. The same one in every put of
            a key. A list holds its records only as long as they live.
    """

    key: str
    value: bytes = field(repr=False)
    until: int
    listed: str | None = None


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove a record; nothing happens if it is absent.

    Attributes:
        key: which.
        listed: the list to which it belongs, as in its `Put`.
        publish: whether to announce it on the feed, whether or not it was there.
    """

    key: str
    listed: str | None = None
    publish: bool = False


@dataclass(frozen=True, slots=True)
class Writes:
    """Group what is written together: all of it, or nothing.

    Attributes:
        puts: records to write.
        drops: records to remove.
        refunds: events to take back from their budgets.
        jobs: payloads for the queue, in this order; accepted together with the rest.
    """

    puts: tuple[Put, ...] = ()
    drops: tuple[Drop, ...] = ()
    refunds: tuple[Refund, ...] = ()
    jobs: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to `admit`.

    Attributes:
        ok: true if it was within its limits and has been written.
        refused_by: which draw was over its limit; `None` if none was.
        wait: if refused by a draw, whole seconds until it would be admitted; if ok, until another
            event would be admitted by all draws (0: at once).
        conflict: true if `replaces` was not what stood there; nothing was counted or written.
    """

    ok: bool
    refused_by: int | None = None
    wait: int = 0
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """The answer to `attempt`.

    Attributes:
        value: the record; `None` if it is absent (then nothing was counted) or a draw refused.
        refused_by: which draw was over its limit; `None` if none was.
        wait: if refused, whole seconds until it would be admitted.
        left: how many more events the first draw admits after this one.
    """

    value: bytes | None = field(repr=False)
    refused_by: int | None = None
    wait: int = 0
    left: int = 0


class Feed(Protocol):
    """What was dropped anywhere, and whether that knowledge is complete.

    A process may keep records it has read only while `is_live()`. To keep one, note `epoch` before
    reading it, and keep it only if `epoch` is the same afterwards: else a read in flight could
    bring back what was dropped meanwhile.
    """

    @property
    def epoch(self) -> int:
        """Return a number that changes with every drop and every interruption of the feed."""
        ...

    def is_live(self) -> bool:
        """Whether every drop published more than 100 ms ago was received. Costs no I/O.

        False also means: whoever keeps records must throw all of them away.
        """
        ...

    def subscribe(self, on_drop: Callable[[str | None], None]) -> None:
        """Call `on_drop(key)` for each published drop; `None` says that any may be missing."""
        ...


@runtime_checkable
class Store(Protocol):
    """What logins need from a store: `MemoryStore`, `RedisStore`, or any object with these methods.

    Every method raises `StoreError` if the store is down or full, and nothing else.
    """

    @property
    def feed(self) -> Feed:
        """What was dropped, as it happens."""
        ...

    @property
    def jobs(self) -> Jobs:
        """The delivery queue, from the worker's side; `admit` and `Writes.jobs` are the other."""
        ...

    async def read(self, key: str, *, now: int) -> bytes | None:
        """Return a record's value, or `None` if it is absent."""
        ...

    async def read_list(self, listed: str, *, now: int) -> Sequence[tuple[str, bytes]]:
        """Return the live records of a list as (key, value), in no particular order."""
        ...

    async def admit(
        self,
        draws: Sequence[Draw],
        put: Put,
        *,
        job: bytes | None,
        replaces: bytes | None,
        now: int,
        op: str,
    ) -> Admission:
        """Enter an event in every budget and write a record, with a job, if all limits hold.

        Args:
            draws: the budgets; all hold or nothing happens. One that does not enter is only looked
                at. On a Redis Cluster the budgets of other slots are entered first, and stay
                entered if a later one refuses.
            put: the record.
            job: a payload for the queue, accepted together with the record; `None` for none.
            replaces: the value that must stand under the key now; `None`: the key must be absent.
            now: unix seconds.
            op: the operation's random name.

        Raises:
            QueueFull: the queue is at its bound; nothing was counted or written.
        """
        ...

    async def attempt(self, draws: Sequence[Draw], key: str, *, now: int, op: str) -> Attempt:
        """Enter an event in every budget and read a record, if it is there and all limits hold.

        Nothing is counted where the record is absent: there is nothing to guess at.
        """
        ...

    async def take(self, key: str, then: Writes, *, now: int, op: str) -> bool:
        """Remove a record and, if it was there, do these writes; return whether it was there.

        On a Redis Cluster writes to other slots follow the take; a process that dies between the
        two has spent the record without writing: closed, never open.

        Raises:
            QueueFull: the queue has no room for all of its jobs; nothing was removed or written.
                On a Redis Cluster it is looked at first, and the jobs are queued with what follows
                the take: where others fill it between the two, the rest is written nevertheless.
        """
        ...

    async def write(self, writes: Writes, *, now: int, op: str) -> None:
        """Do these writes.

        Raises:
            QueueFull: as from `take`.
        """
        ...

    async def swap(self, put: Put, *, replaces: bytes, now: int) -> bool:
        """Write a record if exactly `replaces` stands there; never brings back a dropped one.

        True as well if `put` stands there already: the call has come twice.
        """
        ...

    async def open(self) -> None:
        """Connect and start the feed, in the running event loop; may be called again."""
        ...

    async def ping(self) -> None:
        """Return if the store can be asked and can write.

        Raises:
            StoreError: it cannot, and why.
        """
        ...

    async def aclose(self) -> None:
        """Close connections and end tasks of the running event loop; may be called twice."""
        ...

"""The embedded store: one process, nothing to run, everything gone when it ends.

Every verb runs without a pause between its first look and its last write, under a lock that also
holds when an app is tested from several threads; that is all its atomicity. Expired entries leave
through a heap that holds one entry for each key, a few at every write. What is live is never thrown
away: at `max_entries` the store refuses new keys (security rule 15).

Who fills it keeps nobody from finishing a login: what `admit` writes sets aside the entries that
its tries and its session will need, so a full store refuses new sends and goes on with the rest.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import RLock

from pwless_middleware.core.challenges import budget
from pwless_middleware.core.challenges.budget import Draw, Refund
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.errors import ConfigError, QueueFull, StoreError
from pwless_middleware.stores.base import Admission, Attempt, Drop, Put, Writes
from pwless_middleware.stores.memory_jobs import MemoryJobs

_REMEMBERED = 4096
"""Operations whose answer is kept. In one process no reply is lost, so few are enough."""
_AHEAD = 6
"""Entries set aside for each admitted record: the ledgers of its tries (its own, the address's, two
of the client, a device's) and one more for what follows; its session takes the record's own."""
_SWEPT = 4
"""Expired entries removed at each write: more than a write adds, so that the rest shrinks."""


class MemoryFeed:
    """Publish drops at once, in the process where they happen; nothing can be missed."""

    def __init__(self) -> None:
        self.epoch = 0
        self._subscribers: list[Callable[[str | None], None]] = []

    def is_live(self) -> bool:
        """Return true: there is no other process."""
        return True

    def subscribe(self, on_drop: Callable[[str | None], None]) -> None:
        """Call `on_drop(key)` for each published drop."""
        self._subscribers.append(on_drop)

    def publish(self, key: str) -> None:
        """Announce a drop."""
        self.epoch += 1
        for on_drop in self._subscribers:
            on_drop(key)


@named_options()
class MemoryStore:
    """Keep everything in this process. For one process, tests and development.

    Args:
        max_entries: records and budgets together, at least 1; default 250,000. A record counts
            once more for every full KiB of its value, so that bytes are bounded too: ordinary use
            takes about 400 bytes an entry, and the default at most about 350 MB. A login under way
            sets six more aside, for its tries and its session: a full store answers 503 to new
            sends, and goes on with the rest.
        max_jobs: mails waiting for delivery, at least 1; default 10,000; then 503.

    Raises:
        ConfigError: a bound below 1.
    """

    def __init__(self, *, max_entries: int = 250_000, max_jobs: int = 10_000) -> None:
        for option, value in (("max_entries", max_entries), ("max_jobs", max_jobs)):
            if type(value) is not int or value < 1:
                raise ConfigError(f"store.{option}", "set a whole number of at least 1")
        self.feed = MemoryFeed()
        self.jobs = MemoryJobs(most=max_jobs)
        self._max_entries = max_entries
        self._lock = RLock()
        self._records: dict[str, Put] = {}
        self._surcharge = 0  # entries that large records count besides themselves
        self._admitted: set[str] = set()  # keys whose records have entries set aside
        self._ledgers: dict[str, tuple[bytes, int]] = {}
        self._lists: dict[str, set[str]] = {}
        self._ends: list[tuple[int, str]] = []
        self._answers: OrderedDict[tuple[str, str], tuple[int, object]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<MemoryStore {len(self)} of {self._max_entries} entries>"

    def __len__(self) -> int:
        """Return the number of records and budgets, expired ones that still stand included."""
        return len(self._records) + len(self._ledgers)

    # --- records -------------------------------------------------------------------------------

    async def read(self, key: str, *, now: int) -> bytes | None:
        """Return a record's value, or `None` if it is absent."""
        return self._value(key, now)

    async def read_list(self, listed: str, *, now: int) -> Sequence[tuple[str, bytes]]:
        """Return the live records of a list."""
        with self._lock:
            found = [(key, self._value(key, now)) for key in self._lists.get(listed, ())]
        return [(key, value) for key, value in found if value is not None]

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
        """Enter an event in every budget and write a record, with a job, if all limits hold."""
        with self._lock:
            answer = self._answer("admit", op, now)
            if not isinstance(answer, Admission):
                answer = self._admit(draws, put, job, replaces, now)
                if answer.ok:
                    self._remember("admit", op, now, answer)
            return answer

    async def attempt(self, draws: Sequence[Draw], key: str, *, now: int, op: str) -> Attempt:
        """Enter an event in every budget and read a record, if it is there and all limits hold."""
        with self._lock:
            answer = self._answer("attempt", op, now)
            if not isinstance(answer, Attempt):
                answer = self._attempt(draws, key, now)
                if answer.value is not None:
                    self._remember("attempt", op, now, answer)
            return answer

    async def take(self, key: str, then: Writes, *, now: int, op: str) -> bool:
        """Remove a record and, if it was there, do these writes; return whether it was there."""
        with self._lock:
            if self._answer("take", op, now):
                return True
            if self._value(key, now) is None:
                return False
            self._make_room(then, now, freed=1)
            self._remove(key)
            self._write(then, now)
            self._remember("take", op, now, True)
            return True

    async def write(self, writes: Writes, *, now: int, op: str) -> None:
        """Do these writes."""
        with self._lock:
            if self._answer("write", op, now) is None:
                self._make_room(writes, now)
                self._write(writes, now)
                self._remember("write", op, now, True)

    async def swap(self, put: Put, *, replaces: bytes, now: int) -> bool:
        """Write a record if exactly `replaces` stands there."""
        with self._lock:
            held = self._records.get(put.key)
            if held is None or held.until <= now:
                return False
            if held.value == replaces:
                self._put(put)
            return held.value == replaces or held == put

    # --- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Do nothing: there is nothing to connect to."""

    async def ping(self) -> None:
        """Do nothing: this store is always there."""

    async def aclose(self) -> None:
        """Keep everything: the store lives as long as the process."""

    # --- inside the lock -----------------------------------------------------------------------

    def _value(self, key: str, now: int) -> bytes | None:
        put = self._records.get(key)
        return put.value if put is not None and put.until > now else None

    def _ledger(self, key: str) -> bytes:
        return self._ledgers.get(key, (b"", 0))[0]

    def _refusal(self, draws: Sequence[Draw], now: int) -> tuple[int, int] | None:
        """Return the draw with the longest wait and that wait, or `None` if all are admitted."""
        waits = [self._wait(d, now) for d in draws]
        longest = max(waits, default=0)
        return (waits.index(longest), longest) if longest else None

    def _wait(self, draw: Draw, now: int) -> int:
        if draw.since is not None:
            return budget.wait_for_mark(self._value(draw.key, now), draw)
        return budget.wait_for(self._ledger(draw.key), draw, now)

    def _enter(self, draws: Sequence[Draw], now: int) -> None:
        for draw in draws:
            if not draw.enters:
                continue
            ledger = budget.enter(self._ledger(draw.key), draw, now)
            until = now + draw.window
            known = draw.key in self._ledgers
            self._ledgers[draw.key] = (ledger, until)
            if not known:
                heapq.heappush(self._ends, (until, draw.key))

    def _admit(
        self, draws: Sequence[Draw], put: Put, job: bytes | None, replaces: bytes | None, now: int
    ) -> Admission:
        if self._value(put.key, now) != replaces:
            return Admission(ok=False, conflict=True)
        refusal = self._refusal(draws, now)
        if refusal:
            return Admission(ok=False, refused_by=refusal[0], wait=refusal[1])
        if job is not None and not self.jobs.has_room():
            raise QueueFull
        ahead = _AHEAD * (len(self._admitted) + (put.key not in self._admitted))
        self._make_room(Writes(puts=(put,)), now, draws=draws, ahead=ahead)
        self._enter(draws, now)
        self._put(put)
        self._admitted.add(put.key)
        if job is not None:
            self.jobs.add(job, now=now)
        wait = max((self._wait(d, now) for d in draws if d.enters), default=0)
        return Admission(ok=True, wait=wait)

    def _attempt(self, draws: Sequence[Draw], key: str, now: int) -> Attempt:
        value = self._value(key, now)
        if value is None:
            return Attempt(value=None)
        refusal = self._refusal(draws, now)
        if refusal:
            return Attempt(value=None, refused_by=refusal[0], wait=refusal[1])
        self._make_room(Writes(), now, draws=draws)
        self._enter(draws, now)
        first = draws[0] if draws and draws[0].limits else None
        left = budget.count_left(self._ledger(first.key), first, now) if first is not None else 0
        return Attempt(value=value, left=left)

    def _write(self, writes: Writes, now: int) -> None:
        for refund in writes.refunds:
            self._refund(refund)
        for drop in writes.drops:
            self._drop(drop)
        for put in writes.puts:
            self._put(put)
        for job in writes.jobs:
            self.jobs.add(job, now=now)
        self._sweep(now, _SWEPT)

    def _put(self, put: Put) -> None:
        before = self._records.get(put.key)
        self._records[put.key] = put
        self._surcharge += _surcharge(put) - (_surcharge(before) if before is not None else 0)
        if put.listed is not None:
            self._lists.setdefault(put.listed, set()).add(put.key)
        if before is None:
            heapq.heappush(self._ends, (put.until, put.key))

    def _drop(self, drop: Drop) -> None:
        self._remove(drop.key)
        if drop.publish:
            self.feed.publish(drop.key)

    def _remove(self, key: str) -> None:
        put = self._records.pop(key, None)
        if put is None:
            return
        self._surcharge -= _surcharge(put)
        self._admitted.discard(key)
        if put.listed is not None:
            keys = self._lists[put.listed]
            keys.discard(key)
            if not keys:
                del self._lists[put.listed]

    def _refund(self, refund: Refund) -> None:
        held = self._ledgers.get(refund.key)
        if held is not None:
            self._ledgers[refund.key] = (budget.apply_refund(held[0], refund), held[1])

    def _sweep(self, now: int, most: int) -> None:
        """Remove up to `most` expired entries, by the heap's order.

        What was taken or dropped leaves its end in the heap; when those are the most, they go.
        """
        if len(self._ends) > 2 * len(self) + 1024:
            ends = [(put.until, key) for key, put in self._records.items()]
            ends += [(until, key) for key, (_, until) in self._ledgers.items()]
            self._ends = ends
            heapq.heapify(self._ends)
        while most > 0 and self._ends and self._ends[0][0] <= now:
            _, key = heapq.heappop(self._ends)
            put = self._records.get(key)
            until = put.until if put is not None else self._ledgers.get(key, (b"", 0))[1]
            if until > now:
                heapq.heappush(self._ends, (until, key))
            else:
                self._remove(key)
                self._ledgers.pop(key, None)
            most -= 1

    def _make_room(
        self,
        writes: Writes,
        now: int,
        *,
        draws: Sequence[Draw] = (),
        freed: int = 0,
        ahead: int = 0,
    ) -> None:
        """Refuse what would go over the bound, before anything is changed.

        Args:
            writes, draws: what is about to be added.
            now: unix seconds; what has ended by then makes room.
            freed: entries that it frees by itself.
            ahead: entries that must stay free for what was admitted.
        """
        if writes.jobs and not self.jobs.has_room(len(writes.jobs)):
            raise QueueFull
        new = sum(1 + _surcharge(p) for p in writes.puts if p.key not in self._records)
        new += sum(d.enters and d.key not in self._ledgers for d in draws)
        self._sweep(now, _SWEPT)
        if new and len(self) + self._surcharge + new - freed + ahead > self._max_entries:
            before = len(self._admitted)
            self._sweep(now, len(self._ends))
            ahead -= _AHEAD * (before - len(self._admitted)) if ahead else 0
            if len(self) + self._surcharge + new - freed + ahead > self._max_entries:
                raise StoreError("the memory store is full; raise max_entries or use RedisStore")

    def _answer(self, verb: str, op: str, now: int) -> object | None:
        held = self._answers.get((verb, op))
        return held[1] if held is not None and held[0] > now else None

    def _remember(self, verb: str, op: str, now: int, answer: object) -> None:
        """Keep the answer to a call that changed something; others may be asked again."""
        self._answers[verb, op] = (now + 60, answer)
        if len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)


def _surcharge(put: Put) -> int:
    """Return how many entries a record counts besides itself."""
    return len(put.value) // 1024

"""The verbs of the stores: a read, and a guarded write of one budget and one record.

Alone, one after the other: what a request waits for. Then four processes with eight tasks each on
one file or server, as busy workers have it: how many writes in a second, and the longest wait.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import statistics
import subprocess
import sys
import time

from pwless_middleware.core.challenges.budget import Draw, Limit
from pwless_middleware.stores.base import Put, Store
from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.serve import ROOT, environment
from tests.benchmarks.targets import Place

_STORES = ("memory", "SQLite", "SQLite, synchronous=normal", "PostgreSQL", "Redis")
_PROCESSES = 4
_TASKS = 8
_ALONE = 500


def make_store(name: str, place: Place) -> Store:
    """Return a store of this kind."""
    if name == "memory":
        from pwless_middleware import MemoryStore

        return MemoryStore(max_entries=10_000_000)
    if name == "Redis":
        from pwless_middleware import RedisStore

        return RedisStore(place.redis_url, prefix=place.prefix)
    from pwless_middleware import Database, SQLStore

    url = place.postgres_url
    if name.startswith("SQLite"):
        url = f"sqlite:///{place.folder}/verbs.db"
        url += "?synchronous=normal" if name.endswith("normal") else ""
    return SQLStore(Database(url))


async def write(store: Store) -> None:
    """Count an event and write a record, on keys that nobody has used."""
    name, now = secrets.token_hex(12), int(time.time())
    draws = [Draw(f"{{{name}}}s", (Limit(5, 900),))]
    put = Put(f"{{{name}}}c", b"v" * 180, now + 900)
    answer = await store.admit(draws, put, job=None, replaces=None, now=now, op=name)
    assert answer.ok


async def alone(name: str, place: Place) -> tuple[float, float, float]:
    """Return the microseconds of a write, of its CPU in this process, and of a read."""
    store = make_store(name, place)
    await store.open()
    for _ in range(50):
        await write(store)
    waits = []
    cpu = time.process_time()
    for _ in range(_ALONE):
        begun = time.perf_counter()
        await write(store)
        waits.append(time.perf_counter() - begun)
    cpu = time.process_time() - cpu
    now, reads = int(time.time()), []
    for _ in range(_ALONE):
        begun = time.perf_counter()
        await store.read("{none}c", now=now)
        reads.append(time.perf_counter() - begun)
    await store.aclose()
    return statistics.median(waits) * 1e6, cpu / _ALONE * 1e6, statistics.median(reads) * 1e6


async def load(name: str, place: Place, seconds: float) -> tuple[int, float]:
    """Write with eight tasks; return how often, and the longest wait in seconds."""
    store = make_store(name, place)
    await store.open()
    await write(store)
    written, longest, end = 0, 0.0, time.monotonic() + seconds

    async def work() -> None:
        nonlocal written, longest
        while (begun := time.monotonic()) < end:
            await write(store)
            written += 1
            longest = max(longest, time.monotonic() - begun)

    await asyncio.gather(*(work() for _ in range(_TASKS)))
    await store.aclose()
    return written, longest


def load_by_processes(name: str, options: Options) -> tuple[float, float]:
    """Return the writes in a second of all processes together, and the longest wait in ms."""
    place = {"folder": options.place.folder, "postgres_url": options.place.postgres_url}
    place |= {"redis_url": options.place.redis_url, "prefix": options.place.prefix}
    command = [sys.executable, "-m", "tests.benchmarks.verbs", name, json.dumps(place)]
    processes = [
        subprocess.Popen(
            [*command, str(options.seconds)],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment(),
        )
        for _ in range(_PROCESSES)
    ]
    found = [json.loads(process.communicate()[0]) for process in processes]
    total = sum(written for written, _ in found) / options.seconds
    return total, max(longest for _, longest in found) * 1e3


async def measure(options: Options) -> list[Table]:
    """Measure every store."""
    kinds = ("write", "cpu", "read", "writes", "worst")
    found = {name: {kind: Samples() for kind in kinds} for name in _STORES}
    for number in range(options.rounds):
        options.say(f"verbs, round {number + 1} of {options.rounds}")
        for name, samples in found.items():
            for kind, value in zip(kinds, await alone(name, options.place), strict=False):
                samples[kind].add(value)
            if name != "memory":
                several = await asyncio.to_thread(load_by_processes, name, options)
                for kind, value in zip(kinds[3:], several, strict=True):
                    samples[kind].add(value)
    table = Table(
        "The stores' verbs",
        ("", "write, µs", "its CPU, µs", "read, µs", "4 processes: writes/s", "worst, ms"),
        "A guarded write: one budget counted, one record written. PostgreSQL and SQLite wait for "
        "the disk at each commit, Redis (no persistence here) and synchronous=normal do not.",
    )
    for name, samples in found.items():
        by_four = [samples[kind] for kind in kinds[3:]]
        table.add(
            name,
            *(samples[kind].told(0) for kind in kinds[:3]),
            *(each.told(0) if each.values else "" for each in by_four),
        )
    return [table]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(sys.argv[1], Place(**json.loads(sys.argv[2])),
                                      float(sys.argv[3])))))  # fmt: skip

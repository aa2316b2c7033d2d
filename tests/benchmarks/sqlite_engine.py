"""What SQLite costs beneath the store: reads, guarded writes, and processes that share a file.

    python -m tests.benchmarks.sqlite_engine [--normal] [--seconds 3] [--tasks 8]

A guarded write is one conditional counter and, where it held, one insert of 180 bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement, Steps

PROCESSES = 4

COUNTERS = Statement(
    "CREATE TABLE bench_counters (key TEXT PRIMARY KEY, n BIGINT NOT NULL) WITHOUT ROWID"
)
RECORDS = Statement(
    "CREATE TABLE bench_records (key TEXT PRIMARY KEY, value BYTEA, until BIGINT) WITHOUT ROWID"
)
COUNT = Statement(
    "INSERT INTO bench_counters (key, n) VALUES ($1, 1) ON CONFLICT (key) "
    "DO UPDATE SET n = bench_counters.n + 1 WHERE bench_counters.n < $2 RETURNING n"
)
INSERT = Statement("INSERT INTO bench_records (key, value, until) VALUES ($1, $2, $3)")
READ = Statement("SELECT value FROM bench_records WHERE key = $1")


def make_tables() -> Steps[None]:
    yield COUNTERS()
    yield RECORDS()


def guarded(key: str) -> Steps[bool]:
    if not (yield COUNT(key[:8], 5)):
        return False
    yield INSERT(key, b"x" * 180, 1_800_000_000)
    return True


async def each(database: Database, seconds: float) -> list[float]:
    """Write in turns for so long, and return what each took, in seconds."""
    took = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        key = secrets.token_urlsafe(16)
        await database.transact(lambda key=key: guarded(key))  # type: ignore[misc]
        took.append(time.perf_counter() - begun)
    return took


async def reads(database: Database, seconds: float) -> list[float]:
    """Read one record in turns for so long, and return what each took, in seconds."""
    key = "read"
    await database.transact(lambda: guarded(key))
    took = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        await database.fetch(READ(key))
        took.append(time.perf_counter() - begun)
    return took


def told(what: str, took: list[float], seconds: float) -> str:
    """Return a line of figures."""
    ordered = sorted(took)
    micro = [1e6 * ordered[int(len(ordered) * part)] for part in (0.5, 0.99)]
    return (
        f"{what:<34} {len(took) / seconds:>9,.0f}/s   median {micro[0]:,.1f} µs   "
        f"p99 {micro[1] / 1000:,.2f} ms   worst {1000 * ordered[-1]:,.1f} ms"
    )


async def one_process(url: str, seconds: float) -> None:
    database = Database(url)
    await database.open()
    await database.transact(make_tables)
    took = await reads(database, seconds)
    print(told("read", took, seconds))
    cpu = time.process_time()
    took = await each(database, seconds)
    cpu = (time.process_time() - cpu) / len(took)
    print(told("guarded write, one after the other", took, seconds), f"  CPU {1e6 * cpu:.0f} µs")
    await database.aclose()


async def worker(url: str, seconds: float, tasks: int) -> None:
    """Write in some tasks, and print what each took in whole microseconds."""
    database = Database(url)
    await database.open()
    sys.stdin.readline()
    took = await asyncio.gather(*(each(database, seconds) for _ in range(tasks)))
    await database.aclose()
    print(" ".join(str(round(1e6 * each)) for part in took for each in part))


def processes(url: str, seconds: float, count: int, tasks: int) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.sqlite_engine"]
    command += ["--worker", url, "--seconds", str(seconds), "--tasks", str(tasks)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    time.sleep(1.5)
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    took = [int(word) / 1e6 for process in started for word in process.communicate()[0].split()]
    print(told(f"guarded write, {count} × {tasks} tasks", took, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--normal", action="store_true", help="synchronous=normal")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--tasks", type=int, default=8, help="that write in each process")
    parser.add_argument("--worker", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        asyncio.run(worker(options.worker, options.seconds, options.tasks))
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        url = f"sqlite:///{folder}/bench.db" + ("?synchronous=normal" if options.normal else "")
        asyncio.run(one_process(url, options.seconds))
        for count in (1, PROCESSES):
            processes(url, options.seconds, count, options.tasks)


if __name__ == "__main__":
    main()

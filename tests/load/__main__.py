"""Many people, four processes, one store, and bad luck: `python -m tests.load --minutes 3`.

Prints a table of what happened, and every broken promise; ends with 1 if there is one. On loopback
alone. The store (`--store redis`, `sqlite` or `postgresql`) keeps acknowledged writes, for which
single use is promised.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx

from tests.failures.post import TAKEN, Post
from tests.failures.served import Process
from tests.load.events import Record, by_kind, judge
from tests.load.faults import Faults
from tests.load.people import Town
from tests.load.stores import make_store

PROCESSES = 4
_SETTLED_WITHIN = 90.0


def main() -> int:
    """Run it and print what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="how long people come (3)")
    parser.add_argument("--people", type=int, default=24, help="how many at a time (24)")
    parser.add_argument("--store", choices=("redis", "sqlite", "postgresql"), default="redis")
    options = parser.parse_args()
    seconds = min(3600.0, max(0.2, options.minutes) * 60)
    people = min(500, max(1, options.people))
    record, done, settled = asyncio.run(run(seconds, people, options.store))
    breaches = judge(record)
    print(table(record, done, seconds, settled, breaches))
    for breach, times in Counter(breaches).most_common(20):
        print(f"BROKEN ({times} times): {breach}")
    return 1 if breaches else 0


async def run(seconds: float, people: int, store: str) -> tuple[Record, Sequence[str], float]:
    """Return what was recorded, what went wrong on purpose, and how long it took to settle."""
    record = Record()
    post = Post(_moody)
    post.open()
    with tempfile.TemporaryDirectory(prefix="pwless-load-") as folder:
        log = Path(folder) / "events"
        log.touch()
        shared = make_store(store, Path(folder))
        processes = [
            Process(shared.url, post.url, f"worker{n}.test", events=str(log))
            for n in range(PROCESSES)
        ]
        try:
            for process in processes:
                await asyncio.to_thread(process.ready)
            limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
            async with httpx.AsyncHTTPTransport(limits=limits) as http:
                until = time.monotonic() + seconds
                town = Town(http, processes, post, record, until)
                faults = Faults(shared.faults(), post, processes, record)
                await asyncio.gather(faults.run(seconds), *(town.live() for _ in range(people)))
                settled = await _settle(post, record, log)
                await town.roll_call()
            record.sessions = await shared.sessions()
            return record, faults.done, settled
        finally:
            for process in processes:
                await asyncio.to_thread(process.close)
            post.close()
            shared.close()


async def _moody(to: str, helo: str) -> str:
    """Take most mails, some after a while, and tell some to come again."""
    await asyncio.sleep(random.choice((0, 0, 0, 0.05, 0.5)))
    return "451 4.7.1 try again later" if random.random() < 0.03 else TAKEN


async def _settle(post: Post, record: Record, log: Path) -> float:
    """Wait until every accepted mail was delivered or reported."""
    begun = time.monotonic()
    while time.monotonic() < begun + _SETTLED_WITHIN:
        record.mails = Counter(mail.to for mail in list(post.taken))
        text = await asyncio.to_thread(log.read_text)
        lines = [json.loads(line) for line in text.splitlines()]
        record.reported = sum(line["event"] == "mail_not_delivered" for line in lines)
        if len(record.missing) <= record.reported:
            break
        await asyncio.sleep(0.2)
    return time.monotonic() - begun


def table(
    record: Record, done: Sequence[str], seconds: float, settled: float, breaches: Sequence[str]
) -> str:
    """Write the figures in Markdown."""
    counts = by_kind(record)
    answers = sum(counts.values(), Counter[int]())
    admitted = [a for a in record.of("request") if a.status == 200]
    wrong = counts["code"][400]
    twice = sum(record.mails[address] > 1 for address in record.asked)
    faults = ", ".join(f"{n} × {name}" for name, n in Counter(done).items())
    rows = [
        ("length", f"{seconds:.0f} s, {PROCESSES} processes"),
        ("faults", faults),
        ("answers", f"{len(record.answers):,}"),
        ("logins", f"{len(record.logins):,}"),
        ("ordinary requests let in", f"{len(admitted):,}"),
        ("wrong codes", f"{wrong:,}, refused uncompared {counts['code'][429]:,}"),
        ("revocations acknowledged", f"{len(record.revoked):,}"),
        ("last request let in after one", f"{record.latest * 1000:.0f} ms"),
        ("mails accepted", f"{len(record.asked):,}"),
        ("mails reported as not delivered", f"{record.reported:,}"),
        ("people who got a mail twice", f"{twice:,}"),
        ("503 while something was down", f"{answers[503]:,}"),
        ("connections cut by a killed process", f"{answers[0]:,}"),
        ("other 5xx", f"{sum(n for s, n in answers.items() if s >= 500 and s != 503):,}"),
        ("last accepted mail after the end", f"{settled:.1f} s"),
        ("lost", "nothing" if not breaches else f"{len(breaches):,} broken promises"),
    ]
    lines = ["| what | figure |", "|---|--:|"]
    return "\n".join([*lines, *(f"| {name} | {figure} |" for name, figure in rows)]) + "\n"


if __name__ == "__main__":
    sys.exit(main())

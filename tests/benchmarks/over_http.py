"""Over HTTP, under uvicorn: requests per second, latency, and the server's CPU, with a session."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack, closing

from tests.benchmarks.figures import Options, Samples, Table
from tests.benchmarks.per_request import TARGETS
from tests.benchmarks.serve import ROOT, Served
from tests.benchmarks.targets import BARE, SESSION, WHO

_CONNECTIONS = 16
_TWO_WORKERS = (BARE, SESSION, "ours, Redis", "ours, SQLite", "ours, PostgreSQL")
"""Those whose sessions two processes share, and a measure for them."""


def put_load(served: Served, cookie: str, seconds: float) -> dict[str, float]:
    """Load one server from another process; raise if an answer was wrong."""
    arguments = [sys.executable, "-m", "tests.benchmarks.load", str(served.port)]
    arguments += [str(_CONNECTIONS), str(seconds)]
    before = served.cpu()
    done = subprocess.run(
        arguments, input=f"{cookie}\n{WHO}", capture_output=True, text=True, check=True, cwd=ROOT
    )
    found: dict[str, float] = json.loads(done.stdout)
    assert not found["wrong"], f"{served.name}: {found}"
    found["cpu"] = (served.cpu() - before) / found["requests"] * 1e6
    return found


async def measure(options: Options) -> list[Table]:
    """Serve all targets at once, and load one after the other."""
    return [
        await asyncio.to_thread(_measure, options, 1, TARGETS),
        await asyncio.to_thread(_measure, options, 2, _TWO_WORKERS),
    ]


def _measure(options: Options, workers: int, names: tuple[str, ...]) -> Table:
    with ExitStack() as stack:
        servers = [
            stack.enter_context(closing(Served(name, options.place, workers=workers)))
            for name in names
        ]
        cookies = {served.name: served.sign_in() for served in servers}
        figures: dict[str, dict[str, Samples]] = {n: defaultdict(Samples) for n in names}
        for number in range(-1, options.rounds):
            options.say(f"over HTTP, {workers} worker(s), round {number + 1} of {options.rounds}")
            for served in servers:
                found = put_load(served, cookies[served.name], options.seconds)
                for key, value in found.items() if number >= 0 else ():  # the first one warms up
                    figures[served.name][key].add(value)
    return _table(figures, workers)


def _table(figures: dict[str, dict[str, Samples]], workers: int) -> Table:
    workers_told = "one worker" if workers == 1 else f"{workers} workers"
    table = Table(
        f"Over HTTP under uvicorn, {workers_told}, with a session",
        ("", "requests/s", "of bare", "p50, ms", "p99, ms", "server CPU/request, µs", "over bare"),
        f"{_CONNECTIONS} connections from a client on the same two cores; every answer compared.",
    )
    bare = figures[BARE]
    for name, found in figures.items():
        table.add(
            name,
            found["per_second"].told(0),
            found["per_second"].times(bare["per_second"]).told(2),
            found["p50"].told(2),
            found["p99"].told(2),
            found["cpu"].told(0),
            "" if name == BARE else found["cpu"].over(bare["cpu"]).told(0),
        )
    return table

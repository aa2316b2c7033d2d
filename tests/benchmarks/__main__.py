"""Measure the product beside its alternatives: `python -m tests.benchmarks [PART…] [--quick]`.

Everything runs interleaved (A B A B …) in one run, several rounds, so that a busy machine slows all
alike; the ratios are what counts, and no number here fails a build (`tests/test_costs.py` counts
what must not grow). Needs the extras `dev` and `bench`, a redis-server or valkey-server, and a
PostgreSQL.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path

from tests.benchmarks.figures import Options, Table, machine
from tests.benchmarks.targets import Place
from tests.postgres_server import PostgresServer
from tests.redis_server import Server

PARTS = {
    "requests": "per_request",
    "http": "over_http",
    "logins": "logins",
    "passkeys": "passkeys",
    "second_factors": "second_factors",
    "sso": "sso",
    "verbs": "verbs",
    "store": "outstanding",
    "growth": "growth",
    "events": "events",
    "event_log": "event_log",
    "organizations": "organizations",
    "dashboard": "dashboard",
    "languages": "languages",
    "process": "processes",
}


def main() -> None:
    """Run the parts, print their tables, and write them to a file."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="few short rounds, to see it work")
    parser.add_argument("--rounds", type=int, help="default 9; 3 with --quick")
    parser.add_argument("--outstanding", type=int, help="the large case; default 100,000")
    parser.add_argument("--out", type=Path, help="write the tables to this file, in Markdown")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"unknown part: {', '.join(unknown)}")
    quick: bool = asked.quick
    told = machine()
    tables: list[str] = []
    server, postgres = Server(), PostgresServer()
    folder = tempfile.mkdtemp(prefix="pwless-bench-")
    try:
        options = Options(
            rounds=asked.rounds or (3 if quick else 9),
            seconds=0.5 if quick else 2.0,
            turn=0.03 if quick else 0.15,
            logins=100 if quick else 400,
            outstanding=asked.outstanding or (5_000 if quick else 100_000),
            place=Place(server.url, postgres.url, folder),
            say=lambda text: print(text, flush=True),
        )
        for part in asked.parts or PARTS:
            made: list[Table] = asyncio.run(
                import_module(f"tests.benchmarks.{PARTS[part]}").measure(options)
            )
            for table in made:
                tables.append(table.render())
                print("\n" + tables[-1], flush=True)
            if asked.out is not None:
                asked.out.write_text(told + "\n" + "\n".join(tables))
    finally:
        server.close()
        postgres.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()

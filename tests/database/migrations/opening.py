"""Processes that open a database of an earlier version at the same moment.

    python -m tests.database.migrations.opening COUNT VERSION URL [VERSION URL …]

For each it makes the tables up to VERSION, forks COUNT processes that open it together, and prints
what they found in `pwless_schema`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.migrations import MIGRATIONS, migrate
from pwless_middleware.database.statement import Statement

VERSIONS = Statement("SELECT version, name FROM pwless_schema ORDER BY version")


async def _open(url: str) -> None:
    database = Database(url)
    await database.open()
    await database.aclose()


async def _versions(url: str) -> list[list[object]]:
    database = Database(url)
    await database.open()
    rows = await database.fetch(VERSIONS())
    await database.aclose()
    return [list(row) for row in rows]


def _fork(url: str, start: int) -> int:
    child = os.fork()
    if child:
        return child
    os.read(start, 1)
    asyncio.run(_open(url))
    sys.exit(0)


def main() -> None:
    """Migrate from each version, and print a line of JSON for it."""
    count, words = int(sys.argv[1]), sys.argv[2:]
    for version, url in zip(words[::2], words[1::2], strict=True):
        if int(version):
            earlier = MIGRATIONS[: int(version)]
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(migrate, "MIGRATIONS", earlier)
                asyncio.run(_open(url))
        start, begin = os.pipe()
        children = [_fork(url, start) for _ in range(count)]
        os.write(begin, b"x" * count)
        for child in children:
            status = os.waitpid(child, 0)[1]
            if status:
                sys.exit(f"from version {version}: {status}")
        print(json.dumps(asyncio.run(_versions(url))), flush=True)


if __name__ == "__main__":
    main()

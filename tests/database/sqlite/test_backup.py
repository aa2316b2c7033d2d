"""A copy that is made while others write, as the guide tells it."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from tests.database.sqlite.tables import ids

pytestmark = pytest.mark.anyio


def copy_while_it_is_written(path: Path, copy: Path, writer: subprocess.Popen[str]) -> None:
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < 20:
        pass
    connection = sqlite3.connect(path)
    connection.execute(f"VACUUM INTO '{copy}'")
    connection.close()
    writer.kill()
    writer.communicate()


async def test_a_copy_of_one_moment_is_a_whole_database(
    database: Database, path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    copy = path.with_name("copy.db")
    copy_while_it_is_written(path, copy, start("write"))
    restored = Database(f"sqlite:///{copy}")
    there = await ids(restored)
    assert len(there) >= 40
    assert there == list(range(len(there)))
    assert len(there) % 2 == 0
    await restored.aclose()

"""A SQLite file with a table, and the programs that use it beside the test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from tests.database.sqlite.tables import make_table

ROOT = Path(__file__).parents[3]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pwless.db"


@pytest.fixture
async def database(path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{path}")
    await database.transact(make_table)
    yield database
    await database.aclose()


@pytest.fixture
def start(path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start `tables` as a program on the file."""

    def start(*words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.database.sqlite.tables", f"sqlite:///{path}"]
        return subprocess.Popen([*command, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    return start

"""Tables are brought up to date: once, whole, and never back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.migrations import MIGRATIONS, migrate
from pwless_middleware.database.migrations.migration import Migration
from pwless_middleware.database.statement import Statement
from pwless_middleware.database.url import make_engine
from pwless_middleware.errors import ConfigError, StoreError

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
ALL = [[number, migration.name] for number, migration in enumerate(MIGRATIONS, 1)]
VERSIONS = Statement("SELECT version, name FROM pwless_schema ORDER BY version")
NEWER = Statement("INSERT INTO pwless_schema (version, name, at) VALUES ($1, 'later', 0)")
MAKE = Statement("CREATE TABLE pwless_test (id BIGINT)")
NO_SQL = Statement("CREATE TABLE pwless_test (id BIGINT")
NAMES = Statement("SELECT name FROM sqlite_master")
FIND = Statement("SELECT id FROM pwless_test")


def open_together(count: int, *versions_and_urls: str) -> list[list[list[object]]]:
    """Return, for each database, the versions in it after so many processes have opened it."""
    command = [sys.executable, "-m", "tests.database.migrations.opening", str(count)]
    command += versions_and_urls
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_eight_processes_that_start_together_migrate_once(bare_url: str) -> None:
    assert open_together(8, "0", bare_url) == [ALL]


def test_so_they_do_from_each_earlier_version(tmp_path: Path) -> None:
    versions = range(1, len(MIGRATIONS) + 1)
    words = [
        word
        for n in versions
        for word in (str(n), f"sqlite:///{tmp_path}/{n}.db?synchronous=normal")
    ]
    assert open_together(2, *words) == [ALL] * len(MIGRATIONS)


async def test_tables_of_a_newer_version_are_refused(bare_url: str) -> None:
    database = Database(bare_url)
    await database.execute(NEWER(len(MIGRATIONS) + 1))
    await database.aclose()
    with pytest.raises(ConfigError, match=rf"version {len(MIGRATIONS) + 1}.*install"):
        await database.open()
    await database.aclose()


async def test_a_step_that_fails_leaves_nothing(
    bare_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of itself, and nothing of the steps before it that were missing too."""
    broken = Migration("broken", (MAKE, NO_SQL))
    engine = make_engine(bare_url)
    await engine.open()
    monkeypatch.setattr(migrate, "MIGRATIONS", (*MIGRATIONS, broken))
    with pytest.raises(StoreError):
        await migrate.migrate(engine)
    assert await migrate.find_version(engine) == 0
    with pytest.raises(StoreError):
        await engine.fetch(FIND())
    monkeypatch.setattr(migrate, "MIGRATIONS", (*MIGRATIONS, Migration("whole", (MAKE,))))
    await migrate.migrate(engine)
    assert await engine.fetch(FIND()) == []
    assert await migrate.find_version(engine) == len(MIGRATIONS) + 1
    await engine.aclose()


async def test_all_tables_and_indexes_carry_the_prefix(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/pwless.db")
    names = [name for (name,) in await database.fetch(NAMES()) if not name.startswith("sqlite_")]
    await database.aclose()
    assert "pwless_schema" in names
    assert [name for name in names if not name.startswith("pwless_")] == []

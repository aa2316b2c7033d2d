"""What `check` says of a database, and that it leaves it as it was."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest

from pwless_middleware.cli.checks.database_checks import database
from pwless_middleware.database.database import Database
from pwless_middleware.database.migrations import MIGRATIONS
from tests.cli.conftest import Project

pytestmark = pytest.mark.anyio


async def levels(path: Path) -> dict[str, tuple[str, str]]:
    found, _ = await database(Database(f"sqlite:///{path}"))
    return {each.check: (each.level, each.message) for each in found}


def write_nonsense(path: Path) -> None:
    path.write_text("Dear diary. " * 1000)


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / "pwless.db"
    made = Database(f"sqlite:///{path}")
    await made.open()
    await made.aclose()
    return path


async def test_one_that_is_in_order(path: Path) -> None:
    found = await levels(path)
    assert {name: level for name, (level, _) in found.items()} == {
        "disk": "ok",
        "file_mode": "ok",
        "database": "ok",
    }
    assert f"version {len(MIGRATIONS)}" in found["database"][1]


async def test_none_makes_none(tmp_path: Path) -> None:
    level, message = (await levels(tmp_path / "pwless.db"))["database"]
    assert level == "ok"
    assert message.endswith("is made as the app starts")
    assert not os.listdir(tmp_path)
    assert await database(None) == ([], True)


async def test_a_missing_folder(tmp_path: Path) -> None:
    level, message = (await levels(tmp_path / "data" / "pwless.db"))["database"]
    assert level == "fail"
    assert "data is missing: make it" in message


async def test_a_file_that_others_can_read(path: Path) -> None:
    os.chmod(path, 0o644)
    level, message = (await levels(path))["file_mode"]
    assert level == "warn"
    assert "mode 0644" in message


async def test_a_file_that_is_locked_or_none(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    level, message = (await levels(path))["database"]
    assert level == "fail"
    assert "another program holds it locked" in message
    other.close()
    write_nonsense(path)
    level, message = (await levels(path))["database"]
    assert level == "fail"
    assert "no SQLite database" in message


@pytest.mark.parametrize(("change", "level"), [(-1, "ok"), (1, "fail")])
async def test_tables_of_another_version_are_told_and_left(
    path: Path, change: int, level: str
) -> None:
    version = len(MIGRATIONS) + change
    other = sqlite3.connect(path)
    other.execute("DELETE FROM pwless_schema WHERE version > ?", (version,))
    other.execute("INSERT OR IGNORE INTO pwless_schema VALUES (?, 'later', 0)", (version,))
    other.commit()
    told, message = (await levels(path))["database"]
    assert told == level
    assert str(version) in message
    assert other.execute("SELECT MAX(version) FROM pwless_schema").fetchone() == (version,)
    other.close()


async def test_check_looks_at_the_apps_database(project: Project) -> None:
    project.wrapped("base_url='http://localhost:8000', mailer=Outbox(), database='sqlite:///a.db'")
    _, report = await asyncio.to_thread(project.check, "site_app:app")
    assert report["database"][1].endswith("a.db is made as the app starts")
    assert report["login_page"][0] == "skip"
    assert report["store"] == ("ok", "in the database")
    assert report["workers"][0] == "ok"
    assert not os.access(project.folder / "a.db", os.F_OK)
    made = Database("sqlite:///a.db")
    await made.open()
    await made.aclose()
    _, report = await asyncio.to_thread(project.check, "site_app:app")
    assert report["login_page"][0] == report["database"][0] == "ok"

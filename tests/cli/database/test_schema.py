"""`pwless schema`: the whole SQL by kind, or what one database still lacks."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from pwless_middleware.cli.main import main
from pwless_middleware.database.database import Database
from pwless_middleware.database.migrations import MIGRATIONS


async def make(url: str) -> None:
    database = Database(url)
    await database.open()
    await database.aclose()


@pytest.mark.parametrize(
    ("dialect", "word"), [("sqlite", "WITHOUT ROWID"), ("postgresql", "now()")]
)
def test_everything(dialect: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--dialect", dialect]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("BEGIN;")
    assert printed.endswith("COMMIT;\n")
    assert word in printed
    assert all(f"-- {n}: {each.name}\n" in printed for n, each in enumerate(MIGRATIONS, 1))


def test_what_a_database_lacks_and_then_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/pwless.db"
    assert main(["schema", "--database", url]) == 0
    assert "-- 1: " in capsys.readouterr().out
    asyncio.run(make(url))
    monkeypatch.setenv("PWLESS_DATABASE_URL", url)
    assert main(["schema"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert f"up to date (version {len(MIGRATIONS)})" in told.err


def test_tables_of_a_newer_version_are_not_called_up_to_date(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path}/pwless.db"
    asyncio.run(make(url))
    with closing(sqlite3.connect(tmp_path / "pwless.db")) as file:
        file.execute("INSERT INTO pwless_schema (version, name, at) VALUES (99, 'later', 0)")
        file.commit()
    assert main(["schema", "--database", url]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "of version 99" in told.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "say for which"),
        (["--database", "mysql://me:hunter2@host/name"], "sqlite:///pwless.db"),
        (["--database", "sqlite:////missing/pwless.db"], "is missing: make it"),
        (["--database", "postgresql://me:hunter2@127.0.0.1:1/name"], "PostgreSQL"),
    ],
)
def test_what_is_wrong_is_one_line_without_the_password(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema", *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err
    assert printed.err.count("\n") == 1
    assert "hunter2" not in printed.err

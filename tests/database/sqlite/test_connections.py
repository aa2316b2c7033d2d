"""How connections are set up, and what of SQLite cannot be used."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pwless_middleware.database.sqlite.connections import open_reader, open_writer
from pwless_middleware.errors import ConfigError


def pragma(connection: sqlite3.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(("is_durable", "synchronous"), [(True, 2), (False, 1)])
def test_a_commit_outlasts_a_power_cut_unless_asked_otherwise(
    path: Path, is_durable: bool, synchronous: int
) -> None:
    writer = open_writer(str(path), is_durable=is_durable)
    reader = open_reader(str(path))
    assert pragma(writer, "synchronous") == synchronous
    assert pragma(reader, "journal_mode") == "wal"
    assert pragma(writer, "foreign_keys") == pragma(writer, "secure_delete") == 1
    assert pragma(reader, "busy_timeout") == 0
    reader.close()
    writer.close()


def test_an_old_sqlite_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(ConfigError, match=r"3\.35 or later is needed"):
        open_writer(str(path), is_durable=True)


def test_a_place_without_a_write_ahead_log_is_refused() -> None:
    with pytest.raises(ConfigError, match="cannot have a write-ahead log"):
        open_writer(":memory:", is_durable=True)


def test_what_was_deleted_is_not_left_in_the_file(path: Path) -> None:
    writer = open_writer(str(path), is_durable=True)
    writer.execute("CREATE TABLE pwless_test (text TEXT)")
    writer.execute("INSERT INTO pwless_test VALUES ('jo@example.com')")
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.execute("DELETE FROM pwless_test")
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.close()
    assert b"jo@example.com" not in path.read_bytes()

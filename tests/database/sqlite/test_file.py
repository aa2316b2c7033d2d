"""The file: for its owner alone (security rule 70), refused where it cannot be kept, and closed
when it is gone."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.sqlite import mounts
from pwless_middleware.errors import ConfigError, StoreError
from tests.database.sqlite.tables import NOBODY, add, ids

pytestmark = pytest.mark.anyio


@pytest.fixture
def path() -> Iterator[Path]:
    """A path in a folder that another user can be let into.

    That of `tmp_path` is in one that each pytest which starts on the machine closes to others.
    """
    memory = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder, "pwless.db")


def open_to_all(path: Path) -> None:
    """Let any user come to the folder."""
    path.parent.chmod(0o777)


def give_to_nobody(path: Path) -> None:
    path.touch()
    if os.getuid() == 0:
        open_to_all(path)
        os.chown(path, NOBODY, NOBODY)


def loosen(path: Path) -> None:
    """Let everybody read and write; who cannot be somebody else is kept out by a mode instead."""
    open_to_all(path)
    for each in path.parent.iterdir():
        each.chmod(0o666)
    if os.getuid() != 0:
        path.chmod(0o400)


def replace(path: Path) -> None:
    """Put another database in its place, as who restores a backup."""
    other = path.with_name("other.db")
    sqlite3.connect(other).execute("CREATE TABLE mine (id)").connection.close()
    other.rename(path)


def write(path: Path, text: str) -> None:
    path.write_text(text)


def modes(path: Path) -> set[int]:
    return {stat.S_IMODE(each.stat().st_mode) for each in path.parent.glob("pwless.db*")}


async def test_it_and_what_is_beside_it_are_for_the_owner_alone(
    database: Database, path: Path
) -> None:
    await database.transact(lambda: add(1))
    assert len(list(path.parent.glob("pwless.db*"))) == 4
    assert modes(path) == {0o600}


async def test_an_older_file_is_made_so(path: Path) -> None:
    for each in (path, path.with_name("pwless.db-lock")):
        each.touch()
        each.chmod(0o664)
    database = Database(f"sqlite:///{path}")
    await database.open()
    assert modes(path) == {0o600}
    await database.aclose()


async def test_another_user_of_the_machine_is_told_what_is_wrong(
    database: Database, path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """Whose file it is not cannot write it, nor make it private."""
    await database.aclose()
    loosen(path)
    told, _ = start("open").communicate()
    assert told.startswith("ConfigError: database: "), told
    assert "must belong to the user that the app runs as, mode 0600" in told


async def test_root_locks_nobody_out(
    path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """A command of root's on the app's file: what it makes belongs to whom the file does."""
    give_to_nobody(path)
    database = Database(f"sqlite:///{path}")
    await database.open()
    owners = {each.stat().st_uid for each in path.parent.glob("pwless.db*")}
    assert owners == {NOBODY if os.getuid() == 0 else os.getuid()}
    assert start("open").communicate()[0] == ""
    await database.aclose()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.mkdir(), "is no file"),
        (lambda path: path.write_text("Dear diary, today I was no database. " * 50), "no SQLite"),
    ],
)
async def test_what_is_no_database_is_refused(
    path: Path, make: Callable[[Path], object], told: str
) -> None:
    make(path)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match=told):
        await database.open()
    with pytest.raises(StoreError, match=told):
        await ids(database)
    await database.aclose()


async def test_a_missing_folder_is_named_and_used_once_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    database = Database(f"sqlite:///{folder}/pwless.db")
    with pytest.raises(ConfigError, match=f"{folder} is missing: make it"):
        await database.open()
    folder.mkdir()
    await database.open()
    await database.aclose()


async def test_a_network_file_system_is_refused_by_its_name(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted = path.with_name("mountinfo")
    write(mounted, f"22 1 0:40 / {path.parent} rw,relatime - nfs4 server:/share rw\n")
    monkeypatch.setattr(mounts, "_MOUNTS", mounted)
    database = Database(f"sqlite:///{path}")
    with pytest.raises(ConfigError, match=r"network file system \(nfs4\).*take PostgreSQL"):
        await database.open()
    await database.aclose()
    assert not os.access(path, os.F_OK)


async def test_a_relative_path_counts_from_where_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database("sqlite:///pwless.db")
    monkeypatch.chdir("/")
    await database.open()
    assert (tmp_path / "pwless.db").exists()
    await database.aclose()


async def test_a_file_that_is_moved_away_is_missed_until_it_is_back(
    database: Database, path: Path
) -> None:
    away = path.with_name("away.db")
    os.rename(path, away)
    with pytest.raises(StoreError, match="deleted or moved"):
        await database.transact(lambda: add(1))
    assert not os.access(path, os.F_OK)
    os.rename(away, path)
    await database.transact(lambda: add(2))
    assert await ids(database) == [2]


async def test_a_file_that_is_replaced_is_not_written(database: Database, path: Path) -> None:
    """What was committed before stands in the old one's log, which does not fit the new one."""
    replace(path)
    with pytest.raises(StoreError, match="replaced while it was in use: restart"):
        await database.transact(lambda: add(1))


@pytest.mark.parametrize("companion", ["-wal", "-shm"])
async def test_a_log_that_is_deleted_by_hand_is_told_and_a_restart_loses_nothing(
    database: Database, path: Path, companion: str
) -> None:
    """Another process would begin a log of its own, and what both write would damage the file."""
    await database.transact(lambda: add(1))
    os.remove(f"{path}{companion}")
    with pytest.raises(StoreError, match=f"{companion} was deleted or replaced .*stop all proc"):
        await database.ping()
    with pytest.raises(StoreError, match="stop all processes, then start them"):
        await database.transact(lambda: add(2))
    await database.aclose()
    again = Database(f"sqlite:///{path}")
    assert await ids(again) == [1]
    await again.transact(lambda: add(3))
    await again.aclose()


async def test_a_log_of_somebody_else_in_its_place_is_told(database: Database, path: Path) -> None:
    await database.transact(lambda: add(1))
    os.rename(f"{path}-wal", f"{path}-gone")
    os.close(os.open(f"{path}-wal", os.O_CREAT))
    with pytest.raises(StoreError, match="-wal was deleted or replaced while it was in use"):
        await database.transact(lambda: add(2))
    os.replace(f"{path}-gone", f"{path}-wal")
    await database.transact(lambda: add(3))
    assert await ids(database) == [1, 3]

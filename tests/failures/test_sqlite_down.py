"""A SQLite file that cannot be asked: closed, told, and well again by itself where it can be."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from pwless_middleware.database.database import Database
from pwless_middleware.database.statement import Statement
from pwless_middleware.stores.sql.store import SQLStore
from tests.database.sqlite.tables import MAKE, ids
from tests.failures.scene import Scene, scene
from tests.failures.small_disk import SmallDisk
from tests.redis_server import until

pytestmark = pytest.mark.anyio

CHECK = Statement("SELECT * FROM pragma_quick_check")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pwless.db"


@pytest.fixture
async def at(path: Path) -> AsyncIterator[Scene]:
    async with scene(SQLStore(Database(f"sqlite:///{path}"))) as made:
        yield made


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    made = SmallDisk(tmp_path / "disk")
    yield made
    made.close()


def events(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what the database's logger has told, each event once."""
    told = [vars(each)["event"] for each in caplog.records if each.name == "pwless.database"]
    return list(dict.fromkeys(told))


def damage(path: Path) -> None:
    """Write nonsense over all tables, as a broken disk does."""
    # Another's commit is what lets the connections look at the file again, not at what they hold.
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA user_version=1")
    other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    # By another process: to close the file here would drop the locks that this one has on it.
    script = 'cp "$0" "$0.bak"; size=$(stat -c %s "$0"); '
    script += 'head -c $((size - 4096)) /dev/urandom | dd of="$0" bs=4096 seek=1 conv=notrunc'
    subprocess.run(["sh", "-c", script, str(path)], check=True, capture_output=True)


def repair(path: Path) -> None:
    subprocess.run(["sh", "-c", 'cat "$0.bak" > "$0"', str(path)], check=True)


def write_until_killed(url: str) -> int:
    """Let a process write pairs of rows, kill it, and return how many were acknowledged."""
    command = [sys.executable, "-m", "tests.database.sqlite.tables", url, "write"]
    writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    while int(writer.stdout.readline()) < 100:
        pass
    writer.kill()
    return 1 + int(["100", *writer.communicate()[0].splitlines()][-1])


async def assert_goes_on(at: Scene) -> None:
    """Hold who only reads to: as ever."""
    for name, answer in (await at.readers()).items():
        assert answer.status_code < 400, name
    await at.assert_still_in()


async def assert_everything_closed(at: Scene) -> None:
    at.assert_closed(await at.writers())
    at.assert_closed(await at.readers())
    await at.assert_socket_refused()
    await at.assert_public_still_works()
    assert (await at.health())[0] == 503


async def test_locked_by_another_program(
    at: Scene, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`BEGIN EXCLUSIVE` in a shell, left open: nobody signs in, who is in goes on."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    at.assert_closed(await at.writers())
    await assert_goes_on(at)
    assert (await at.health())[0] == 503
    assert events(caplog) == ["database_down"]
    other.execute("ROLLBACK")
    other.close()
    await at.recovers()
    assert events(caplog) == ["database_down", "database_recovered"]
    await at.assert_login_can_be_finished()


async def test_a_process_that_stopped_in_mid_write(at: Scene, path: Path) -> None:
    """It has the turn, and the system gives it back when it goes on or ends."""
    lock = os.open(f"{path}-lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    at.assert_closed(await at.writers())
    await assert_goes_on(at)
    os.close(lock)
    await at.recovers()
    await at.assert_login_can_be_finished()


async def test_full_disk(disk: SmallDisk, caplog: pytest.LogCaptureFixture) -> None:
    """What would write is refused; reading goes on; nothing is half done."""
    async with scene(SQLStore(Database(f"sqlite:///{disk.folder}/pwless.db"))) as at:
        disk.fill()
        for _ in range(20):  # what stands in the log's file already has room
            answers = await at.writers()
            if {answer.status_code for answer in answers.values()} == {503}:
                break
        at.assert_closed(answers)
        await assert_goes_on(at)
        assert (await at.health())[0] == 503
        disk.make_room()
        await at.recovers()
        assert events(caplog) == ["database_down", "database_recovered"]
        await at.assert_still_in()
        await at.assert_a_login_works()


async def test_damaged(at: Scene, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Closed at the first sign, and until a restart on a backup: nothing is believed or healed."""
    damage(path)
    answers = await at.writers()
    assert 503 in {answer.status_code for answer in answers.values()}
    at.slowest = 0.0
    await until(lambda: not at.site.store.feed.is_live())
    await assert_everything_closed(at)
    assert any("restore a backup" in record.getMessage() for record in caplog.records)
    repair(path)
    await assert_everything_closed(at)


async def test_moved_away_and_back(at: Scene, path: Path) -> None:
    """As by a deployment that cleans its folder: nothing goes into a file that nobody finds."""
    away = path.with_name("away.db")
    os.rename(path, away)
    at.assert_closed(await at.writers())
    assert not os.access(path, os.F_OK)
    os.rename(away, path)
    await at.recovers()
    await at.assert_still_in()
    await at.assert_login_can_be_finished()


async def test_killed_while_writing(path: Path) -> None:
    """What was acknowledged is there, whole; what was not is there whole or not at all."""
    url = f"sqlite:///{path}"
    database = Database(url)
    await database.execute(MAKE())
    acknowledged = write_until_killed(url)
    there = await ids(database)
    assert there == list(range(len(there)))
    assert len(there) % 2 == 0
    assert len(there) >= 2 * acknowledged
    assert await database.fetch(CHECK()) == [("ok",)]
    await database.aclose()

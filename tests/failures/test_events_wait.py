"""The database takes no events for a while: nobody who signs in notices, and none is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pwless_middleware import EmailLogin, MemoryStore
from tests.support import ROOMY, make_site
from tests.test_events import Table

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"


async def test_events_wait_for_a_locked_database(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pwless.db"
    site = make_site(
        database=f"sqlite:///{path}",
        store=MemoryStore(),
        users=Table(EMAIL),
        features=[EmailLogin(send_limits=ROOMY)],
    )
    login = site.passwordless
    await site.browser().sign_in(EMAIL)
    await login.lifetime.flush_events()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    await site.browser().sign_in(EMAIL)
    await login.lifetime.flush_events()  # what the next second would do
    assert [vars(record)["event"] for record in caplog.records] == [
        *("database_down", "store_down", "events_lost"),
    ], "the engine says so, and the writer"
    other.execute("ROLLBACK")
    other.close()
    await site.browser().sign_in(EMAIL)
    kinds = [stored.event.kind for stored in (await login.events.find()).events]
    assert kinds.count("session.created") == 3
    assert sum(each.count for each in await login.events.count(0, site.clock.now + 1)) == len(kinds)
    await login.lifetime.close()

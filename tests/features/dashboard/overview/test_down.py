"""What is down, as this process sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware import MemoryStore
from pwless_middleware.errors import StoreError
from pwless_middleware.features.dashboard.overview.down import Down, DownParts
from tests.features.dashboard.operators import make_dashboard_site
from tests.support import Site

pytestmark = pytest.mark.anyio


class Breaks(MemoryStore):
    """A store that cannot be asked while it is told so."""

    is_down = False

    async def ping(self) -> None:
        if self.is_down:
            raise StoreError("no route to 10.0.0.7")


def parts_of(site: Site) -> DownParts:
    return DownParts(site.passwordless._kit)


async def test_a_store_is_down_since_it_was_first_seen_so(tmp_path: Path) -> None:
    store = Breaks()
    site = make_dashboard_site(tmp_path, store=store)
    parts = parts_of(site)
    assert await parts.find() == []
    store.is_down = True
    began = site.clock.now
    for site.clock.now in (began, began + 50):
        assert await parts.find() == [Down("The store of sessions", began)]
    store.is_down = False
    assert await parts.find() == []
    store.is_down = True
    assert await parts.find() == [Down("The store of sessions", began + 50)]


async def test_what_fails_at_work_is_noticed_before_anybody_looks(tmp_path: Path) -> None:
    """Each question to the store tells whether there was an answer."""
    store = Breaks()
    site = make_dashboard_site(tmp_path, store=store)
    parts = parts_of(site)
    (measure,) = site.passwordless._kit.store_times.measures[-1:]
    store.is_down = True
    began = site.clock.now
    measure("read", 1.5, False)
    site.clock.now += 30
    measure("read", 1.5, False)
    assert await parts.find() == [Down("The store of sessions", began)]
    store.is_down = False
    measure("read", 0.1, True)
    assert await parts.find() == []


async def test_mails_that_do_not_go_out_are_told_since_the_first(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    health, began = site.passwordless.deliveries._healths["mail"], site.clock.now
    for _ in range(3):
        health.note_failure("connection refused", tries=1, delay=5)
        site.clock.now += 5
    assert await parts_of(site).find() == [Down("Email delivery", began)]
    health.note_sent()
    assert await parts_of(site).find() == []


async def test_a_queue_that_cannot_be_asked_is_the_one_cause(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path)
    site.passwordless.deliveries._queue_health.note_down(StoreError("gone"))
    assert await parts_of(site).find() == [Down("The delivery queue", site.clock.now)]


async def test_a_store_in_the_database_is_told_once(tmp_path: Path) -> None:
    site = make_dashboard_site(tmp_path, store=None)
    database = site.passwordless.database
    assert database is not None
    await database.aclose()
    (tmp_path / "pwless.db").write_text("Dear diary. " * 1000)
    found = await parts_of(site).find()
    assert [one.name for one in found] == ["The database"]
    await site.passwordless.lifetime.close()

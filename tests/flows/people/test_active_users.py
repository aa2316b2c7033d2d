"""Users of the host's own table are counted as active, once a day each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import User
from pwless_middleware.core.events.event_counters import DAY
from pwless_middleware.database.memory.event_counters import MemoryEventCounters
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.people import active_users
from pwless_middleware.flows.people.active_users import ActiveUsers
from tests.own_account import make_kept_site
from tests.support import START, Clock, Site

pytestmark = pytest.mark.anyio


class Counters(MemoryEventCounters):
    """Remember what was written, or refuse it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[dict[str, int]] = []
        self.is_full = False

    async def note_active(self, seen: Mapping[str, int]) -> None:
        if self.is_full:
            raise StoreError("no space left")
        self.written.append(dict(seen))
        await super().note_active(seen)


async def test_a_user_is_written_once_a_day() -> None:
    counters, clock = Counters(), Clock()
    active = ActiveUsers(counters, clock)
    midnight = START - START % DAY + DAY
    for clock.now in (midnight - 20, midnight - 10, midnight, midnight + 10):
        active.note("jo")
        active.note("kim")
        await active.flush()
    assert counters.written == [
        {"jo": midnight - 20, "kim": midnight - 20},
        {"jo": midnight, "kim": midnight},
    ]


async def test_where_a_task_has_ended_as_it_is_made_the_next_user_is_written_too() -> None:
    """`asyncio.eager_task_factory`: a task runs up to where it first waits."""
    counters, loop = Counters(), asyncio.get_running_loop()
    active = ActiveUsers(counters, lambda: START)
    loop.set_task_factory(getattr(asyncio, "eager_task_factory", run_at_once))
    try:
        active.note("jo")
        active.note("kim")
    finally:
        loop.set_task_factory(None)
    await active.flush()
    assert counters.written == [{"jo": START}, {"kim": START}]


def run_at_once(loop: asyncio.AbstractEventLoop, work: Any, **_: object) -> Any:
    """Stand for it before Python 3.12: run what waits for nothing, and return what is done."""
    done = loop.create_future()
    with pytest.raises(StopIteration):
        work.send(None)
    done.set_result(None)
    return done


async def test_what_could_not_be_written_is_told_and_breaks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters = Counters()
    counters.is_full = True
    active = ActiveUsers(counters, lambda: START)
    active.note("jo")
    await active.flush()
    assert "no space left" in caplog.text


async def test_a_process_remembers_no_end_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(active_users, "_MOST_KNOWN", 3)
    counters = Counters()
    active = ActiveUsers(counters, lambda: START)
    for number in range(10):
        active.note(f"u-{number % 5}")
        await active.flush()
    assert len(active._known) <= 3
    (count,) = [each.count for each in await counters.read("day", 0, START + DAY)]
    assert count == 5, "each counts once, also where it was forgotten"


class Table:
    """The host's own table."""

    async def find(self, email: str) -> User | None:
        return User(email, email)

    async def create(self, email: str) -> User | None:
        return await self.find(email)

    async def load(self, user_id: str) -> User | None:
        return await self.find(user_id)


async def days_of(site: Site) -> list[int]:
    kept = site.passwordless._kit.repositories
    assert kept is not None
    found = await kept.event_counters.read("day", 0, site.clock.now + DAY)
    return [each.count for each in found if each.name.label == "people"]


async def test_who_uses_a_session_is_active_without_signing_in_again(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path, users=Table())
    jo = site.browser()
    await jo.sign_in("jo@example.com")
    site.clock.now += DAY
    for _ in range(3):
        assert (await jo.get("/private")).status_code == 200
    await site.passwordless.lifetime.close()
    assert await days_of(site) == [1, 1]


async def test_who_is_only_looked_up_is_not_active(tmp_path: Path) -> None:
    site = make_kept_site(tmp_path, users=Table())
    assert await site.passwordless._kit.users.load("jo@example.com") is not None
    await site.passwordless.lifetime.close()
    assert await days_of(site) == []

"""What is too old goes, in parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_retention import DAY, EventRetention
from pwless_middleware.core.events.event_search import EventFilter, StoredEvent
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.features.event_log.deletion import OldEvents
from tests.support import make_site

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000


class Parts(MemoryEvents):
    """Delete two parts."""

    parts = 2

    async def delete_before(self, at: int) -> bool:
        self.parts -= 1
        await super().delete_before(at)
        return self.parts > 0


async def test_old_events_go_first_and_old_counts_later() -> None:
    events, pauses = Parts(), []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    ages = [3, 2, 1, 0]
    await events.write(
        [
            StoredEvent(Event(at=at, kind="mail.sent", id=format_event_id(at, 0)))
            for at in (NOW - age * DAY for age in ages)
        ]
    )
    old = OldEvents(
        events, events.counters, EventRetention(days=1, count_days=2), lambda: NOW, pause=pause
    )
    await old.delete()
    found = await events.find(EventFilter(), after=-1)
    assert [(NOW - stored.event.at) // DAY for stored in found] == [1, 0]
    assert len(await events.count(0, NOW + 1)) == 3
    assert len(pauses) == 1, "others write between two parts"


def test_it_runs_where_there_is_a_database(tmp_path: Path) -> None:
    without, with_one = make_site(), make_site(database=f"sqlite:///{tmp_path}/pwless.db")
    kits = [site.passwordless.lifetime._periodics for site in (without, with_one)]
    assert [[turn.title for turn in kit._all] for kit in kits if kit is not None] == [
        [],
        ["EventLog.delete_old"],
    ]

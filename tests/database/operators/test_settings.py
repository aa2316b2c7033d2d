"""Settings in the database: the contract, over every kind and the double in memory (security
rule 63)."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.operators.setting import SettingValue
from pwless_middleware.core.operators.settings import NO_SETTINGS, SettingsRecord
from pwless_middleware.database.database import Database
from pwless_middleware.database.operators.settings import SettingsRepository, SQLSettings
from pwless_middleware.database.repositories import Repositories
from pwless_middleware.database.statement import Statement
from pwless_middleware.errors import StoreError

pytestmark = pytest.mark.anyio

NOW = 1_767_225_600


@pytest.fixture
def settings(repositories: Repositories) -> SettingsRepository:
    return repositories.settings


def record(version: int, by: str = "jo", **values: SettingValue) -> SettingsRecord:
    return SettingsRecord(version, NOW + version, by, values)


async def test_the_newest_version_holds_with_every_kind_of_value(
    settings: SettingsRepository,
) -> None:
    assert await settings.newest() == NO_SETTINGS
    first = record(1, kind="OTP", lifetime=60, signup=False, allow=("*@ü.example", "jo@x.example"))
    assert await settings.add(first)
    assert await settings.newest() == first
    second = record(2, allow=())
    assert await settings.add(second)
    assert await settings.newest() == second


@pytest.mark.parametrize("version", [0, 1, 3, 7])
async def test_only_the_next_version_is_taken(version: int, settings: SettingsRepository) -> None:
    await settings.add(record(1, lifetime=60))
    assert not await settings.add(record(version, lifetime=90))
    assert await settings.newest() == record(1, lifetime=60)


async def test_of_many_who_make_the_same_version_one_does(settings: SettingsRepository) -> None:
    made = await asyncio.gather(*(settings.add(record(1, f"by {n}")) for n in range(8)))
    assert sum(made) == 1
    assert len(await settings.list()) == 1
    assert (await settings.newest()).by == f"by {made.index(True)}"


async def test_of_several_processes_that_make_the_same_version_one_does(database_url: str) -> None:
    """Each with its own connections, as processes have them."""
    databases = [Database(database_url) for _ in range(4)]
    for database in databases:
        await database.open()
    made = await asyncio.gather(
        *(SQLSettings(one).add(record(1, f"by {n}")) for n, one in enumerate(databases))
    )
    assert sum(made) == 1
    assert len(await SQLSettings(databases[0]).list()) == 1
    for database in databases:
        await database.aclose()


async def test_versions_are_listed_the_newest_first_page_by_page(
    settings: SettingsRepository,
) -> None:
    for version in range(1, 6):
        await settings.add(record(version, lifetime=60 + version))
    pages, before = [], 0
    while page := await settings.list(before=before, limit=2):
        pages.append([one.version for one in page])
        before = page[-1].version
    assert pages == [[5, 4], [3, 2], [1]]


async def test_the_events_of_a_change_stand_and_fall_with_it(repositories: Repositories) -> None:
    told = [Event(at=NOW, kind="settings.changed", id=format_event_id(NOW, n)) for n in range(3)]
    assert await repositories.settings.add(record(1, lifetime=60), audit=told[:2])
    assert not await repositories.settings.add(record(1, lifetime=90), audit=told[2:])
    found = await repositories.events.find(EventFilter())
    assert {stored.event.id for stored in found} == {event.id for event in told[:2]}


async def test_whoever_is_erased_is_named_by_no_version(settings: SettingsRepository) -> None:
    await settings.add(record(1, "operator:jo", lifetime=60))
    await settings.add(record(2, "operator:kim", lifetime=90))
    await settings.erase("jo")
    await settings.erase("jo")
    newest, first = await settings.list()
    assert newest == record(2, "operator:kim", lifetime=90)
    assert first.by.startswith("operator:erased-")
    assert (first.version, first.at, first.values) == (1, NOW + 1, {"lifetime": 60})


@pytest.mark.parametrize("text", ["{", "[1]", "null"])
async def test_a_record_that_was_edited_to_nonsense_cannot_be_read(
    database: Database, text: str
) -> None:
    """As a database that is down: what is known goes on to hold, and nothing is made of it."""
    settings = SQLSettings(database)
    assert await settings.add(record(1, lifetime=60))
    spoil = Statement("UPDATE pwless_settings SET record = $1")
    await database.execute(spoil(text))
    with pytest.raises(StoreError, match="version 1 of the settings"):
        await settings.newest()

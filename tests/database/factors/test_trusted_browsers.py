"""Trusted browsers in the database: the contract, over every kind and the double in memory.

Security rule 45.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.factor import TrustedBrowser
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.factors import trusted_browsers
from pwless_middleware.database.factors.trusted_browsers import TrustedBrowserRepository
from pwless_middleware.database.repositories import Repositories
from tests.factors import MADE_AT, make_browser

pytestmark = pytest.mark.anyio


@pytest.fixture
def browsers(repositories: Repositories) -> TrustedBrowserRepository:
    return repositories.trusted_browsers


async def fill(browsers: TrustedBrowserRepository, *made: TrustedBrowser) -> None:
    for one in made:
        assert await browsers.trust(one, generation=0)


async def test_a_browser_is_found_as_it_was_trusted(browsers: TrustedBrowserRepository) -> None:
    whole = make_browser(device="Zürich ' \U0001f511", used_at=MADE_AT + 9)
    await fill(browsers, whole, make_browser(number=2))
    assert await browsers.find(whole.id) == whole
    assert await browsers.find(b"unknown") is None


async def test_those_that_are_trusted_now_are_listed_the_newest_first(
    browsers: TrustedBrowserRepository,
) -> None:
    one, two, three = (make_browser(number=number) for number in (1, 2, 3))
    await fill(browsers, two, three, one, make_browser("kim", 4))
    assert await browsers.list("jo", now=MADE_AT) == [three, two, one]
    assert await browsers.list("jo", now=one.expires_at) == [three, two]
    assert await browsers.find(one.id) == one, "whoever asks for it sees that it has ended"


async def test_an_id_is_trusted_once(browsers: TrustedBrowserRepository) -> None:
    """Else whoever knows the id of somebody's browser takes it from them."""
    await fill(browsers, make_browser())
    assert not await browsers.trust(make_browser("kim"), generation=0)
    assert await browsers.find(make_browser().id) == make_browser()


async def test_the_oldest_goes_where_there_are_too_many(
    browsers: TrustedBrowserRepository,
) -> None:
    one, two, three = (make_browser(number=number) for number in (1, 2, 3))
    await fill(browsers, two, make_browser("kim", 9), three)
    assert await browsers.trust(one, generation=0, most=2)
    assert await browsers.list("jo", now=MADE_AT) == [three, one], "the new one is there"
    assert await browsers.trust(two, generation=0, most=1)
    assert await browsers.list("jo", now=MADE_AT) == [two]
    assert len(await browsers.list("kim", now=MADE_AT)) == 1


async def test_who_is_disabled_or_being_deleted_is_trusted_nowhere(
    repositories: Repositories,
) -> None:
    await repositories.people.add(Person("jo", "jo@example.com"))
    await repositories.people.disable("jo", at=MADE_AT)
    browsers = repositories.trusted_browsers
    assert not await browsers.trust(make_browser(), generation=0)
    assert await browsers.distrust_all("jo") == 0
    assert (await repositories.factors.state("jo")).generation == 0, "no row is made for them"
    await repositories.people.enable("jo")
    await browsers.distrust_all("jo")
    await repositories.people.disable("jo", at=MADE_AT)
    await browsers.distrust_all("jo")
    assert (await repositories.factors.state("jo")).generation == 2


async def test_the_time_of_use_never_goes_back(browsers: TrustedBrowserRepository) -> None:
    await fill(browsers, make_browser(), make_browser(number=2))
    for at in (MADE_AT + 9, MADE_AT + 3):
        await browsers.note_use(make_browser().id, at)
    await browsers.note_use(b"unknown", MADE_AT)
    assert await browsers.find(make_browser().id) == replace(make_browser(), used_at=MADE_AT + 9)
    assert await browsers.find(make_browser(number=2).id) == make_browser(number=2)


async def test_a_user_distrusts_their_own_alone(browsers: TrustedBrowserRepository) -> None:
    one, other = make_browser(), make_browser("kim", 2)
    await fill(browsers, one, make_browser(number=3), other)
    assert not await browsers.distrust("jo", other.id)
    assert not await browsers.distrust("jo", b"unknown")
    assert await browsers.distrust("jo", one.id)
    assert not await browsers.distrust("jo", one.id)
    assert await browsers.list("jo", now=MADE_AT) == [make_browser(number=3)]
    assert await browsers.find(other.id) == other
    assert await browsers.trust(one, generation=0), "the others are trusted as they were"


async def test_all_are_distrusted_and_whoever_is_about_to_be(
    browsers: TrustedBrowserRepository,
) -> None:
    await fill(browsers, make_browser(), make_browser(number=2), make_browser("kim", 3))
    assert await browsers.distrust_all("jo") == 2
    assert await browsers.list("jo", now=0) == []
    assert not await browsers.trust(make_browser(number=4), generation=0)
    assert await browsers.distrust_all("jo") == 0
    assert not await browsers.trust(make_browser(number=4), generation=1)
    assert await browsers.trust(make_browser(number=4), generation=2)
    assert await browsers.trust(make_browser("kim", 5), generation=0)


async def test_what_has_ended_is_swept(
    browsers: TrustedBrowserRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trusted_browsers, "_AT_ONCE", 2)
    made = [make_browser("jo" if number % 2 else "kim", number) for number in range(1, 8)]
    await fill(browsers, *made)
    assert await browsers.sweep(made[4].expires_at) == 5
    assert [await browsers.find(one.id) is not None for one in made] == [False] * 5 + [True] * 2
    assert await browsers.sweep(made[4].expires_at) == 0


async def test_erasing_a_user_leaves_no_browser(browsers: TrustedBrowserRepository) -> None:
    await fill(browsers, make_browser(), make_browser(number=2), make_browser("kim", 3))
    for _ in range(2):
        await browsers.erase("jo")
    assert await browsers.list("jo", now=0) == []
    assert len(await browsers.list("kim", now=0)) == 1


async def test_the_event_of_a_change_stands_and_falls_with_it(repositories: Repositories) -> None:
    browsers, one = repositories.trusted_browsers, make_browser()
    told = [
        Event(at=MADE_AT, kind="browser.trusted", id=format_event_id(MADE_AT, number))
        for number in range(7)
    ]
    await browsers.trust(one, generation=0, audit=told[0])
    await browsers.trust(make_browser(number=2), generation=1, audit=told[1])
    await browsers.distrust("jo", one.id, audit=told[2])
    await browsers.distrust("jo", one.id, audit=told[3])
    await browsers.distrust_all("jo", audit=told[4])
    await browsers.trust(one, generation=1, audit=told[5])
    await browsers.distrust_all("jo", audit=told[6])
    found = await repositories.events.find(EventFilter())
    assert {stored.event.id for stored in found} == {told[n].id for n in (0, 2, 5, 6)}


# --- at once -------------------------------------------------------------------------------------


async def test_of_many_that_are_trusted_at_once_so_many_stay(parallel: list[Repositories]) -> None:
    tries = (
        each.trusted_browsers.trust(make_browser(number=number), generation=0, most=5)
        for number, each in enumerate(parallel * 5, 1)
    )
    assert all(await asyncio.gather(*tries))
    assert len(await parallel[0].trusted_browsers.list("jo", now=0)) == 5


async def test_none_is_trusted_behind_the_back_of_who_distrusts_all(
    parallel: list[Repositories],
) -> None:
    for number in range(10, 60, 10):
        user = f"user-{number}"
        first, *others = parallel
        await first.trusted_browsers.trust(make_browser(user, number), generation=0)
        tries = [
            each.trusted_browsers.trust(make_browser(user, number + n), generation=0)
            for n, each in enumerate(others, 1)
        ]
        await asyncio.gather(*tries[:2], first.trusted_browsers.distrust_all(user), tries[2])
        assert await first.trusted_browsers.list(user, now=0) == []

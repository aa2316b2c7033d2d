"""Attempts, as they are written with their events and found again: one contract over all kinds."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware.core.events.attempt import _DECIDES, AttemptFilter, fold_attempts
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import SERIALS, format_event_id
from pwless_middleware.core.events.event_search import EventFilter, StoredEvent
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.event_row import number_of
from pwless_middleware.database.migrations import MIGRATIONS, attempts
from pwless_middleware.database.repositories import Repositories, make_repositories
from pwless_middleware.database.statement import Statement
from tests.databases import DATABASES

pytestmark = pytest.mark.anyio

OLDER = [kind for kind in _DECIDES if kind != "sso.failed"]
"""The kinds that there were when the table was made."""

NOON = 1_800_000_000 // 3600 * 3600


def event(serial: int, kind: str, attempt: str | None, **fields: Any) -> StoredEvent:
    """Return one event of an attempt; `email` is the address in clear."""
    email, at = fields.pop("email", None), fields.pop("at", NOON)
    made = Event(at=at, kind=kind, id=format_event_id(at, serial), attempt=attempt, **fields)
    return StoredEvent(made, email)


def story(number: int, *, ends: str = "session.created", **fields: Any) -> list[StoredEvent]:
    """Return the events of one attempt; `fields` are those of who asks."""
    name, first = f"a-{number}", number * 10
    at: dict[str, Any] = {"at": NOON + number}
    asked = {"address": f"d-{number}", "email": f"p{number}@example.com", **fields, **at}
    told = [
        event(first, "send.requested", name, **asked),
        event(first + 1, "mail.sent", name, **at),
    ]
    if ends == "session.created":
        told.append(event(first + 2, "login.verified", name, method="email_code", **at))
        told.append(event(first + 3, "step.verified", name, method="totp", **at))
        at |= {"user_id": f"u-{number}", "methods": ("email_code", "totp"), "organization": "o-1"}
    return [*told, event(first + 4, ends, name, **at)]


async def names(
    repositories: Repositories, wanted: AttemptFilter | None = None, **page: int
) -> list[str]:
    found = await repositories.attempts.find(wanted or AttemptFilter(), **page)
    return [attempt.name for attempt in found.attempts]


async def test_an_attempt_is_what_its_events_make_of_it(repositories: Repositories) -> None:
    told = story(1, device="Firefox on Linux", country="DE", caller="browser")
    chance = random.Random(3)
    chance.shuffle(told)
    for part in (told[:2], told[1:], told):  # in any order, and some of them twice
        await repositories.events.write(part)
    found = await repositories.attempts.load("a-1")
    expected = fold_attempts((number_of(stored.event), stored) for stored in told)["a-1"]
    assert found == expected
    assert (expected.outcome, expected.step, expected.country) == ("signed_in", "totp", "DE")
    assert await repositories.attempts.load("a-2") is None
    assert await names(repositories) == ["a-1"]


async def test_what_comes_late_and_weighs_less_changes_nothing(repositories: Repositories) -> None:
    await repositories.events.write(story(1))
    await repositories.events.write([event(99, "code.wrong", "a-1", at=NOON + 9)])
    found = await repositories.attempts.load("a-1")
    assert found is not None
    assert (found.outcome, found.last % SERIALS) == ("signed_in", 99)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AttemptFilter(), [4, 3, 2, 1]),
        (AttemptFilter(outcome="signed_in"), [4, 1]),
        (AttemptFilter(outcome="wrong_code"), [2]),
        (AttemptFilter(outcome="wrong_code", country="DE"), []),
        (AttemptFilter(user_id="u-1"), [1]),
        (AttemptFilter(user_id="u-1", addresses=("d-2", "d-9")), [2, 1]),
        (AttemptFilter(addresses=("d-2",), outcome="signed_in"), []),
        (AttemptFilter(organization="o-1"), [4, 1]),
        (AttemptFilter(method="email_code"), [4, 1]),
        (AttemptFilter(method="totp"), [4, 1]),
        (AttemptFilter(method="totp", country="DE"), [1]),
        (AttemptFilter(country="DE"), [3, 1]),
        (AttemptFilter(country="DE", outcome="refused"), [3]),
        (AttemptFilter(since=NOON + 2, until=NOON + 4), [3, 2]),
        (AttemptFilter(outcome="' OR 1=1 --"), []),
    ],
)
async def test_what_is_looked_for_is_found(
    repositories: Repositories, wanted: AttemptFilter, found: list[int]
) -> None:
    told = [
        *story(1, country="DE"),
        *story(2, ends="code.wrong"),
        *story(3, ends="login.refused", country="DE"),
        *story(4),
    ]
    await repositories.events.write([*told, event(99, "event.dropped", None)])
    assert await names(repositories, wanted) == [f"a-{number}" for number in found]


async def test_pages_follow_each_other(repositories: Repositories) -> None:
    await repositories.events.write([one for n in range(7) for one in story(n)])
    seen: list[str] = []
    before = None
    for left in (4, 1, None):
        page = await repositories.attempts.find(AttemptFilter(), before=before, limit=3)
        seen += [attempt.name for attempt in page.attempts]
        before = page.next
        assert (before is None) == (left is None)
    assert seen == [f"a-{n}" for n in range(6, -1, -1)]


async def test_a_search_goes_back_only_so_far_and_says_where_to_go_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.database.events.lookback.ROWS", 4)
    repositories = make_repositories(database)
    rare = story(0, ends="code.wrong", country="LI")
    often = [one for n in range(1, 31) for one in story(n, country="DE")]
    other = [one for n in range(31, 41) for one in story(n, ends="code.wrong", country="AT")]
    await repositories.events.write([*rare, *often, *other])
    found = await repositories.attempts.find(AttemptFilter(country="LI", outcome="wrong_code"))
    assert [attempt.name for attempt in found.attempts] == ["a-0"], "the rarest leads"
    assert (found.next, found.is_cut) == (None, False)
    looks, before, seen = 0, None, 0
    while True:  # nobody from Germany has typed a wrong code
        wanted = AttemptFilter(country="DE", outcome="wrong_code")
        found = await repositories.attempts.find(wanted, before=before)
        looks, before, seen = looks + 1, found.next, seen + len(found.attempts)
        assert found.is_cut == (before is not None)
        if before is None:
            break
    assert (looks, seen) == (2, 0)
    events: list[StoredEvent] = []
    before, looks = None, 0
    while True:
        kinds = EventFilter(kinds=("code.wrong",), country="DE")
        page = await repositories.events.look_back(kinds, before=before, limit=3)
        events += page.events
        before, looks = page.next, looks + 1
        if before is None:
            break
    assert (events, looks > 1) == ([], True)


async def test_events_are_looked_back_for_in_pages(repositories: Repositories) -> None:
    told = [event(n, "code.wrong", None, country="DE", method="totp") for n in range(7)]
    await repositories.events.write([*told, event(50, "mail.sent", None)])
    seen: list[StoredEvent] = []
    before = None
    for _ in range(3):
        wanted = EventFilter(method="totp", country="DE", kinds=("code.wrong",))
        page = await repositories.events.look_back(wanted, before=before, limit=3)
        seen += page.events
        before = page.next
    assert (seen, before) == (told[::-1], None)


async def test_erasing_a_person_leaves_no_attempt_that_names_them(
    repositories: Repositories,
) -> None:
    asked: dict[str, Any] = {"caller": "step_up:s-1", "device": "Firefox on Linux", "country": "DE"}
    await repositories.events.write([*story(1, **asked), *story(2, ends="code.wrong", **asked)])
    await repositories.events.erase("u-1", ["d-1"])
    erased = await repositories.attempts.load("a-1")
    assert erased is not None
    assert (erased.user_id or "").startswith("erased-")
    assert erased.outcome == "signed_in"
    for word in ("u-1", "d-1", "p1@", "s-1", "Firefox", "DE"):
        assert word not in repr(replace(erased, user_id=None)), word
    other = await repositories.attempts.load("a-2")
    assert other is not None
    assert (other.address, other.country) == ("d-2", "DE")


async def test_attempts_go_with_their_events(repositories: Repositories) -> None:
    await repositories.events.write([*story(1), *story(50)])
    while await repositories.events.delete_before(NOON + 50):
        pass
    assert await names(repositories) == ["a-50"]


async def test_many_who_write_of_one_attempt_lose_nothing(parallel: list[Repositories]) -> None:
    told = story(1)
    assert len(told) == 5
    tries = [event(100 + n, "code.wrong", "a-1", at=NOON + 1) for n in range(16)]
    batches = [[*told[:1], *tries[n::4], *told[n + 1 : n + 2]] for n in range(4)]
    await asyncio.gather(
        *(one.events.write(batch) for one, batch in zip(parallel, batches, strict=True))
    )
    everything = [*told, *tries]
    expected = fold_attempts((number_of(one.event), one) for one in everything)["a-1"]
    assert await parallel[0].attempts.load("a-1") == expected


EMPTY = Statement("DELETE FROM pwless_attempts")


@pytest.mark.parametrize("kind", DATABASES)
async def test_attempts_of_before_are_made_of_their_events(
    kind: str, make_database_url: Any
) -> None:
    """The migration's one statement does what the code does, for every kind that decides."""
    database = Database(make_database_url(kind))
    repositories = make_repositories(database)
    told = [*story(1, country="DE", caller="browser"), event(900, "session.ended", None)]
    for number, decisive in enumerate(OLDER, 2):
        told += story(number, ends=decisive)
        told.append(event(number * 10 + 5, "link.scanned", f"a-{number}", at=NOON + number))
    told.append(event(5, "mail.suppressed", "a-0", reason="superseded"))
    await repositories.events.write(told)
    before = await repositories.attempts.find(AttemptFilter(), limit=100)
    await database.execute(EMPTY())
    (fill,) = (s for s in attempts.ATTEMPTS.statements if "INSERT" in s.sqlite)
    await database.execute(fill())
    assert await repositories.attempts.find(AttemptFilter(), limit=100) == before
    assert len(before.attempts) == len(OLDER) + 2
    assert attempts.ATTEMPTS in MIGRATIONS
    await database.aclose()

"""What an operator does on the page of a person, for tests."""

from __future__ import annotations

from typing import Any

import httpx

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.database.events.events import SQLEvents
from tests.support import Browser, Site

LIST = "/auth/dashboard/people"


async def id_of(site: Site, email: str) -> str:
    """Return a person's id."""
    return await site.passwordless.people.id_of(email)


def path_of(id: str, more: str = "") -> str:
    """Return the path of a person's page, or of one below it."""
    return f"{LIST}/{id}{more}"


async def act(
    site: Site, operator: Browser, email: str, what: str, form: Any = None
) -> httpx.Response:
    """Post a form of a person's page: `sign-out`, `disable`, …"""
    return await operator.post(path_of(await id_of(site, email), f"/{what}"), form or {})


async def audits(site: Site, *kinds: str) -> list[Event]:
    """Return the events of the database that say who did something, the oldest first."""
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    assert isinstance(repositories.events, SQLEvents)
    found = await repositories.events.find(EventFilter(kinds=kinds), after=-1)
    return [stored.event for stored in found if stored.event.by is not None]

"""What a host reads of the database's events, over a site that writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin, EventRetention
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import SQLEvents
from pwless_middleware.errors import ConfigError, InvalidArgument
from tests.support import KEY, ROOMY, Site, make_site

pytestmark = pytest.mark.anyio

EMAIL = "jo@example.com"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a database that outlives a site."""
    return f"sqlite:///{tmp_path}/pwless.db"


def home(url: str, **options: Any) -> Site:
    return make_site(database=url, features=[EmailLogin(send_limits=ROOMY)], **options)


async def test_a_login_is_found_by_address_user_and_attempt(url: str) -> None:
    site = home(url)
    browser = site.browser()
    await browser.sign_in(EMAIL)
    await site.browser().ask("al@example.com")
    events = site.passwordless.events
    page = await events.find(address="Jo@Example.com")
    assert [s.event.kind for s in page.events] == [
        *("session.created", "user.created", "send.requested"),
    ]
    assert {s.email for s in page.events} == {EMAIL}
    session = page.events[0].event
    story = await events.find(attempt=session.attempt, after="")
    assert [s.event.kind for s in story.events] == [
        *("send.requested", "mail.sent", "login.verified", "user.created", "session.created"),
    ]
    await browser.post("/auth/logout", {})
    found = await events.find(user_id=session.user_id, address=EMAIL)
    kinds = [s.event.kind for s in found.events]
    assert kinds == ["session.ended", "session.created", "user.created", "send.requested"]
    kinds = [s.event.kind for s in (await events.find(method="email_code")).events]
    assert kinds == ["login.verified"]
    assert (await events.find(country="DE")).events == []
    kinds = [s.event.kind for s in (await events.find(kind="session.ended")).events]
    assert kinds == ["session.ended"]
    counts = await events.count(site.clock.now - 3600, site.clock.now + 1)
    assert {each.kind: each.count for each in counts}["send.requested"] == 2
    await site.passwordless.lifetime.close()


async def test_pages_lead_to_each_other(url: str) -> None:
    site = home(url)
    for _ in range(5):
        await site.browser().ask(EMAIL)
    events = site.passwordless.events
    first = await events.find(kind=["send.requested"], limit=3)
    rest = await events.find(kind=["send.requested"], before=first.next, limit=3)
    assert (len(first.events), len(rest.events), rest.next) == (3, 2, None)
    oldest = await events.find(kind=["send.requested"], after="", limit=3)
    assert [*oldest.events][:2] == [*rest.events][::-1]
    await site.passwordless.lifetime.close()


async def test_an_address_is_found_after_the_key_was_rotated(url: str) -> None:
    old = home(url, event_retention=EventRetention(keep_addresses=False))
    await old.browser().ask(EMAIL)
    await old.passwordless.lifetime.close()
    new = home(url, secret_key=[KEY, KEY[::-1]])
    new.clock.advance(1)
    await new.browser().ask(EMAIL)
    page = await new.passwordless.events.find(address=EMAIL)
    assert [stored.email for stored in page.events] == [EMAIL, None]
    await new.passwordless.lifetime.close()


async def test_a_shutdown_leaves_nothing_unwritten(url: str) -> None:
    site = home(url)
    await site.browser().ask(EMAIL)
    await site.passwordless.lifetime.close()
    database = Database(url)
    found = await SQLEvents(database).find(EventFilter())
    assert [stored.event.kind for stored in found] == ["mail.sent", "send.requested"]
    await database.aclose()


async def test_a_person_is_erased_and_exported(url: str) -> None:
    site = home(url)
    await site.browser().sign_in(EMAIL)
    await site.browser().ask("al@example.com")
    events = site.passwordless.events
    user_id = events.recent(kind="session.created")[0].user_id or ""
    exported = [stored async for stored in events.export(user_id, [EMAIL])]
    assert [s.event.kind for s in exported] == [
        *("send.requested", "user.created", "session.created"),
    ]
    await events.erase(user_id, [EMAIL])
    assert [stored async for stored in events.export(user_id, [EMAIL])] == []
    page = await events.find()
    assert EMAIL not in repr(page)
    assert "al@example.com" in repr(page)
    await site.passwordless.lifetime.close()


async def test_bad_questions_say_what_to_ask(url: str) -> None:
    site = home(url)
    events = site.passwordless.events
    bads: list[dict[str, Any]] = [
        {"address": "jo"},
        {"before": "1"},
        {"after": "x"},
        {"limit": 0},
        {"limit": 1001},
    ]
    for bad in bads:
        with pytest.raises(InvalidArgument) as raised:
            await events.find(**bad)
        assert [violation.field for violation in raised.value.violations] == [*bad]
    for step in (0, 1800, 5400, 3600.0):
        with pytest.raises(InvalidArgument, match="integer"):
            await events.count(0, 1, step=step)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="database: events are kept in one"):
        await make_site().passwordless.events.find()
    await site.passwordless.lifetime.close()

"""The `events` resource, as a server asks for it (security rule 65)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pwless_middleware import EmailLogin
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.errors import Unauthenticated
from tests.support import API_KEY, ROOMY, Site, error_code, make_site, wrong

pytestmark = pytest.mark.anyio

EVENTS = "/auth/api/v1/events"
KEY = {"authorization": f"Bearer {API_KEY}"}
LINES = {**KEY, "accept": "application/json;q=0.5, application/x-ndjson"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site with a database."""
    return make_site(
        database=f"sqlite:///{tmp_path}/pwless.db", features=[EmailLogin(send_limits=ROOMY)]
    )


async def ask(site: Site, query: str = "", **headers: str) -> Any:
    answer = await site.browser().get(EVENTS + query, headers=headers or KEY)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def test_a_login_is_a_story(site: Site) -> None:
    browser = site.browser()
    await browser.ask("jo@example.com")
    await browser.type_code(wrong(site.mail().code))
    await browser.type_code(site.mail().code)
    newest = (await ask(site, "?limit=1"))["events"]
    assert [event["kind"] for event in newest] == ["session.created"]
    assert newest[0]["email"] == "jo@example.com"
    assert newest[0]["at"] == str(site.clock.now)
    story = (await ask(site, f"?attempt={newest[0]['attempt']}"))["events"]
    assert [event["kind"] for event in story][::-1] == [
        *("send.requested", "mail.sent", "code.wrong", "login.verified"),
        *("user.created", "session.created"),
    ]
    by_kind = (await ask(site, "?kind=code.wrong&address=JO@example.com"))["events"]
    assert [event["tries_left"] for event in by_kind] == [4]
    by_method = (await ask(site, "?method=email_code"))["events"]
    assert [event["kind"] for event in by_method] == ["login.verified"]
    assert (await ask(site, "?country=DE"))["events"] == []


async def test_pages_go_by_cursor_and_lines_go_through_all(site: Site) -> None:
    now = site.clock.now
    repository = site.passwordless.events.repository
    assert repository is not None
    made = [Event(at=now, kind="mail.sent", id=format_event_id(now, n)) for n in range(2_500)]
    await repository.write([StoredEvent(event) for event in made])
    ids = [event.id for event in made]
    first = await ask(site, "?limit=1000")
    second = await ask(site, f"?limit=1000&before={first['next']}")
    last = await ask(site, f"?limit=1000&before={second['next']}")
    pages = [event["id"] for page in (first, second, last) for event in page["events"]]
    assert pages == ids[::-1]
    assert "next" not in last
    answer = await site.browser().get(EVENTS, headers=LINES)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line)["id"] for line in answer.text.splitlines()] == pages
    answer = await site.browser().get(f"{EVENTS}?after={ids[0]}", headers=LINES)
    assert [json.loads(line)["id"] for line in answer.text.splitlines()] == ids[1:]
    answer = await site.browser().get(f"{EVENTS}?limit=3", headers=LINES)
    assert len(answer.text.splitlines()) == 3
    head = await site.browser().request("HEAD", EVENTS, headers=LINES)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?kinds=mail.sent", "kinds"),
        ("?kind=mail.lost", "kind"),
        ("?kind=mail.sent&kind=code.wrong", "kind"),
        ("?limit=0", "limit"),
        ("?limit=1001", "limit"),
        ("?limit=ten", "limit"),
        ("?since=-1", "since"),
        ("?address=jo", "address"),
        ("?before=1", "before"),
        ("?after=zzzzzzzzzzzzzzzz", "after"),
        ("?user_id=", "user_id"),
        ("?user_id=%00", "user_id"),
        ("?attempt=%ff", "query"),
        ("?attempt", "query"),
        ("?attempt=" + "a" * 5000, "query"),
    ],
)
async def test_a_query_is_read_strictly(site: Site, query: str, field: str) -> None:
    answer = await site.browser().get(EVENTS + query, headers=KEY)
    assert answer.status_code == 400
    info = answer.json()["details"][0]["validation_error_info"]["field_violations"]
    assert [violation["field"] for violation in info] == [field]


async def test_it_is_for_servers_alone(site: Site) -> None:
    browser = site.browser()
    await browser.sign_in("jo@example.com")
    own: dict[str, str] = {"origin": site.base_url, "sec-fetch-site": "same-origin"}
    for headers in ({}, own, {"authorization": "Bearer pwk_" + "x" * 24}):
        answer = await browser.get(EVENTS, headers=headers)
        assert (answer.status_code, error_code(answer)) == (401, "UNAUTHENTICATED")


async def test_without_a_database_there_is_none() -> None:
    answer = await make_site().browser().get(EVENTS, headers=KEY)
    assert (answer.status_code, error_code(answer)) == (404, "NOT_FOUND")


async def test_a_key_that_is_revoked_gets_no_more_lines(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pwless_middleware.features.event_log.api.MOST", 2)
    keys = site.passwordless.api_keys
    key = (await keys.create("audit", scopes=["events"])).text
    for number in range(4):
        await site.browser().ask(f"jo{number}@example.com")
    find = site.passwordless.events.find

    async def find_and_revoke(*args: Any, **options: Any) -> Any:
        page = await find(*args, **options)
        await keys.revoke("audit")
        return page

    monkeypatch.setattr(site.passwordless.events, "find", find_and_revoke)
    headers = {**LINES, "authorization": f"Bearer {key}"}
    with pytest.raises(Unauthenticated):
        await site.browser().get(EVENTS, headers=headers)

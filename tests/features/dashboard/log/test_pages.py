"""The pages of the log: lists, filters, the story of an attempt, and what strangers write in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.core.organizations.organization import Organization
from tests.features.dashboard.operators import make_dashboard
from tests.support import Browser, Site, holds, led_to, wrong

pytestmark = pytest.mark.anyio

LOG = "/auth/dashboard/log"
EMAIL = "jo@example.com"
MARKUP = "<img src=x onerror=alert(1)>\"'{{7*7}}"


async def write(site: Site, *events: Event) -> None:
    """Write events as another process would."""
    repository = site.passwordless.events.repository
    assert repository is not None
    await repository.write([StoredEvent(event) for event in events])


def made(site: Site, serial: int, kind: str, **fields: Any) -> Event:
    now = site.clock.now
    return Event(at=now, kind=kind, id=format_event_id(now, serial), **fields)


async def show(ops: Browser, path: str = "", status: int = 200) -> str:
    answer = await ops.get(LOG + path)
    assert answer.status_code == status, answer.text
    return str(answer.text)


async def attempt_of(site: Site, kind: str) -> str:
    """Return the attempt of the newest event of a kind."""
    page = await site.passwordless.events.find(kind=kind, limit=1)
    return page.events[0].event.attempt or ""


async def test_a_login_is_one_attempt_with_its_whole_story(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    jo = site.browser(headers={"user-agent": "X Firefox/1 Linux", "accept-language": "de"})
    await jo.ask(EMAIL)
    await jo.type_code(wrong(site.mail(EMAIL).code))
    await jo.type_code(site.mail(EMAIL).code)
    name = await attempt_of(site, "code.wrong")
    listed = await show(ops)
    assert f"{LOG}/{name}" in listed
    assert EMAIL in listed
    assert "Signed in" in listed
    story = await show(ops, f"/{name}")
    for told in (
        *("An email with a code", "accepted the email", "A wrong code was typed; 4 tries"),
        *("signed in: Email code", "Firefox on Linux", "What came of it", ">de<"),
    ):
        assert told in story, told
    assert "Why did this fail?" not in story
    told = (await ops.get(f"{LOG}/{name}?format=json")).json()
    assert told["attempt"]["outcome"] == "signed_in"
    assert [one["kind"] for one in told["events"]][:2] == ["send.requested", "mail.sent"]
    assert json.dumps(told["attempt"]["email"]) in story.replace("&#34;", '"')
    await jo.post("/auth/logout", form={})
    assert "The person signed out." in await show(ops, f"/{name}"), "the end of its session, too"


async def test_a_page_answers_why_it_failed(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await write(
        site,
        made(site, 1, "send.requested", attempt="attempt1", address="d-1"),
        made(site, 2, "mail.failed", attempt="attempt1", reason="550 no such <b>box</b>", tries=3),
        made(site, 3, "login.refused", attempt="attempt2", reason="elsewhere"),
        made(site, 4, "own.kind", attempt="attempt3"),
    )
    failed = await show(ops, "/attempt1")
    assert "Why did this fail?" in failed
    assert "The message was given up" in failed
    assert "550 no such &lt;b&gt;box&lt;/b&gt;" in failed
    assert "led the person to another way" in await show(ops, "/attempt2")
    assert "own.kind" in await show(ops, "/attempt3")


FILTERS: list[tuple[str, list[str]]] = [
    ("", ["attempt1", "attempt2"]),
    ("?outcome=refused", ["attempt2"]),
    ("?outcome=", ["attempt1", "attempt2"]),
    ("?country=de", ["attempt1"]),
    ("?method=totp", ["attempt1"]),
    ("?organization=o-1", ["attempt1"]),
    ("?q=u-1", ["attempt1"]),
    ("?user_id=u-1", ["attempt1"]),
    ("?user_id=u-2", []),
    ("?q=nobody@example.com", []),
    ("?span=hour", ["attempt1", "attempt2"]),
    ("?until=2001-01-01T00:00", []),
    ("?since=2001-01-01T00:00&span=hour&country=", ["attempt1", "attempt2"]),
    ("?view=events&kind=session.created", ["attempt1"]),
    ("?view=events&country=DE", ["attempt1"]),
    ("?view=events&kind=session.ended", []),
    ("?view=live&kind=login.refused", ["attempt2"]),
]


async def test_filters_narrow_what_is_listed(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await write(
        site,
        made(
            site, 1, "session.created", attempt="attempt1", user_id="u-1", organization="o-1",
            methods=("email_code", "totp"), country="DE",
        ),
        made(site, 2, "login.refused", attempt="attempt2", reason="expired"),
    )  # fmt: skip
    for query, found in FILTERS:
        listed = await show(ops, query)
        names = [name for name in ("attempt1", "attempt2") if f"{LOG}/{name}" in listed]
        assert names == found, query


async def test_an_organization_is_found_by_its_name_and_shown_by_it(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    repositories = site.passwordless._kit.repositories
    assert repositories is not None
    for id, name in (("org_1", "Acme <b>"), ("org_2", "Acme 2")):
        one = Organization(id=id, name=name, external_id=f"customer {id}")
        assert await repositories.organizations.put(one, seen=None) == "done"
    for number, organization in enumerate(("org_1", "org_2", "org_gone"), start=1):
        event = made(
            site, number, "session.created", attempt=f"attempt{number}", organization=organization,
            methods=("email_code",),
        )  # fmt: skip
        await write(site, event)
    for text, found in (
        ("acme <B>", [1]),  # by its whole name, though another one's begins so too
        ("2", [2]),  # by a part of it that no other has
        ("customer org_1", [1]),
        ("org_2", [2]),
        ("org_gone", [3]),  # what has happened in it stays
        ("acme", []),  # both of them
    ):
        listed = await show(ops, f"?organization={quote(text)}")
        names = [number for number in (1, 2, 3) if f"{LOG}/attempt{number}" in listed]
        assert names == found, text
    assert "Acme &lt;b&gt;" in await show(ops, "/attempt1")
    assert "org_gone" in await show(ops, "/attempt3")


BAD: list[str] = [
    "?outcome=lost",
    "?view=everything",
    "?kind=code.wrong",
    "?view=events&outcome=refused",
    "?view=events&kind=mail.lost",
    "?view=events&kind=mail.sent&kind=code.wrong",
    "?view=live&before=34ab5c8000000001",
    "?before=1",
    "?before=zzzzzzzzzzzzzzzz",
    "?since=yesterday",
    "?since=2026-13-01T00:00",
    "?until=9999-99-99T99:99",
    "?span=century",
    "?country=D",
    "?country=D1",
    "?q=jo@",
    "?q=a@b@c",
    "?q=u-1&user_id=u-2",
    "?q=%00",
    "?q=%ff",
    "?order=outcome",
    "?q=" + "a" * 400,
    "?" + "a" * 5000,
    "?q",
]


async def test_what_cannot_be_asked_for_is_told_and_nothing_is_listed(tmp_path: Path) -> None:
    """Filters, cursors and sort fields are closed vocabularies (security rule 65)."""
    site, ops = await make_dashboard(tmp_path)
    await write(site, made(site, 1, "login.refused", attempt="attempt1", reason="expired"))
    for query in BAD:
        page = await show(ops, query, status=400)
        assert 'role="alert"' in page, query
        assert "attempt1" not in page, query


async def test_a_search_is_a_value_and_no_language(tmp_path: Path) -> None:
    """Security rules 65 and 71."""
    site, ops = await make_dashboard(tmp_path)
    await write(site, made(site, 1, "login.refused", attempt="attempt1", reason="expired"))
    for q in ("' OR 1=1 --", "%", "_", "*", "a);DROP TABLE pwless_events", "\\"):
        for view in ("", "&view=events"):
            assert "Nothing is found" in await show(ops, f"?q={quote(q)}{view}"), q


async def test_whatever_strangers_write_is_text(tmp_path: Path) -> None:
    """Every field of an event that somebody else can fill, on every page (security rule 61)."""
    site, ops = await make_dashboard(tmp_path)
    names = ("user_id", "organization", "address", "by", "caller", "client", "device", "method")
    fields = dict.fromkeys((*names, "session", "reason", "country"), MARKUP)
    event = made(site, 1, "mail.failed", attempt="attempt1", **fields, methods=(MARKUP,),
                 details={"name": MARKUP, MARKUP: "x"})  # fmt: skip
    steps = made(site, 2, "step.required", attempt="attempt1", methods=(MARKUP,))
    own = made(site, 3, "own.kind", attempt="attempt1", details={"name": MARKUP})
    repository = site.passwordless.events.repository
    assert repository is not None
    await repository.write([StoredEvent(one, MARKUP) for one in (event, steps, own)])
    for path in (
        *("", "?view=events", "?view=live", "/attempt1", f"/events/{event.id}"),
        *(f"?q={quote(MARKUP)}", f"?view=events&method={quote(MARKUP)}"),
    ):
        page = await show(ops, path)
        assert "<img src=x" not in page, path
        assert "{{7*7}}" in page, f"{path}: it is there, and no template"
        answer = await ops.get(LOG + path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
    told = await ops.get(f"{LOG}/attempt1?format=json")
    assert told.headers["content-type"] == "application/json"
    assert told.headers["x-content-type-options"] == "nosniff"


async def test_pages_follow_each_other_by_links(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    await write(
        site,
        *(
            made(site, n, "login.refused", attempt=f"refused{n:03}", reason="used")
            for n in range(120)
        ),
    )
    seen: list[str] = []
    path = "?outcome=refused"
    for _ in range(3):
        page = await show(ops, path)
        seen += [f"refused{n:03}" for n in reversed(range(120)) if f"{LOG}/refused{n:03}" in page]
        links = [part.split('"')[0] for part in page.split('rel="next" href="')[1:]]
        path = links[0].removeprefix(LOG).replace("&amp;", "&") if links else ""
    assert (len(seen), path) == (120, "")
    assert seen == sorted(seen, reverse=True)


async def test_a_search_that_names_something_leads_there(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    event = made(site, 1, "own.kind", attempt="attempt1", user_id="u-1")
    await write(site, event)
    assert led_to(await ops.get(f"{LOG}?q=attempt1")) == f"{LOG}/attempt1"
    assert led_to(await ops.get(f"{LOG}?q={event.id}")) == f"{LOG}/events/{event.id}"
    assert "own.kind" in await show(ops, f"/events/{event.id}")


async def test_what_there_is_not_is_not_found(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    for path in ("/attempt9", "/a", "/%27%20OR%201", "/events/34ab5c8000000001", "/events/x"):
        assert (await ops.get(LOG + path)).status_code == 404, path


async def test_a_new_site_says_what_to_do_first(tmp_path: Path) -> None:
    site, ops = await make_dashboard(tmp_path)
    repository = site.passwordless.events.repository
    assert repository is not None
    assert "attempt" in (await show(ops)).lower()
    await site.passwordless.lifetime.close()


async def test_no_secret_of_a_login_is_on_any_page(tmp_path: Path) -> None:
    """Codes, links, cookies and tokens are in no event (security rule 62)."""
    site, ops = await make_dashboard(tmp_path)
    jo = site.browser()
    await jo.ask(EMAIL)
    mail = site.mail(EMAIL)
    await jo.type_code(mail.code)
    secrets = [mail.code, mail.link, *jo.cookies.values(), *ops.cookies.values()]
    name = await attempt_of(site, "login.verified")
    for path in ("", "?view=events", f"/{name}", f"/{name}?format=json"):
        page = await show(ops, path)
        assert not [secret for secret in secrets if secret and holds(page, secret)], path


async def test_a_choice_that_is_none_is_told_what_there_is(tmp_path: Path) -> None:
    _, ops = await make_dashboard(tmp_path)
    page = await ops.get("/auth/dashboard/log?outcome=x")
    assert page.status_code == 400
    assert "Send one of asked, sent, " in page.text, "the empty one, for any, is none to send"

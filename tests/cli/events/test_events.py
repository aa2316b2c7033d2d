"""`pwless events`: what happened, in lines for people and for programs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path

import pytest

from pwless_middleware.cli.events.event_text import write_line
from pwless_middleware.cli.events.events import follow, parse_when
from pwless_middleware.cli.importing import UsageError
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.events.event_kinds import KINDS
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.flows.events.event_history import EventHistory
from pwless_middleware.flows.events.events import Events
from tests.cli.conftest import Project
from tests.support import Clock, make_site, wrong

NOW = 1_800_000_000


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a database in which somebody has signed in, and somebody else has not."""
    url = f"sqlite:///{tmp_path}/pwless.db"

    async def live() -> None:
        site = make_site(database=url)
        browser = site.browser()
        await browser.ask("jo@example.com")
        await browser.type_code(wrong(site.mail().code))
        await browser.type_code(site.mail().code)
        site.clock.advance(60)
        await site.browser(ip="203.0.113.9").ask("al@example.com")
        await site.passwordless.lifetime.close()

    asyncio.run(live())
    return url


def lines(project: Project, *args: str) -> list[str]:
    code, out, err = project.run("events", *args)
    assert (code, err) == (0, "")
    return out.splitlines()


def test_it_shows_the_last_ones_the_oldest_first(project: Project, url: str) -> None:
    shown = lines(project, "--database", url, "--last", "3")
    assert [line.split()[2] for line in shown] == ["session.created", "send.requested", "mail.sent"]
    assert "somebody is signed in" in shown[0]
    assert "jo@example.com" in shown[0]
    assert "\x1b" not in "".join(shown), "colors are for terminals"


def test_a_login_is_a_story(project: Project, url: str) -> None:
    (first,) = lines(project, "--database", url, "--json", "--kind", "session.created")
    event = json.loads(first)
    story = lines(project, "--database", url, "--attempt", event["attempt"])
    assert [line.split()[2] for line in story] == [
        *("send.requested", "mail.sent", "code.wrong", "login.verified"),
        *("user.created", "session.created"),
    ]
    assert event["attempt"] not in "".join(story)
    assert "tries left 4" in story[2]
    by_person = lines(project, "--database", url, "--person", event["user_id"], "--all")
    assert [line.split()[2] for line in by_person] == ["user.created", "session.created"]


def test_an_address_is_found_with_the_keys(project: Project, url: str) -> None:
    code, _, err = project.run("events", "--database", url, "--person", "jo@example.com")
    assert code == 2
    assert "add --app module:app" in err
    project.wrapped(f"base_url='https://app.example.com', mailer=Outbox(), database={url!r}")
    shown = lines(project, "--app", "site_app:app", "--person", "jo@example.com", "--all")
    assert [line.split()[2] for line in shown] == [
        *("send.requested", "code.wrong", "user.created", "session.created"),
    ]


def test_times_choose(project: Project, url: str) -> None:
    (event, *_) = map(json.loads, lines(project, "--database", url, "--json", "--all"))
    at = event["at"]
    late = lines(project, "--database", url, "--since", str(at + 1))
    assert [line.split()[2] for line in late] == ["send.requested", "mail.sent"]
    assert lines(project, "--database", url, "--until", str(at)) == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--kind", "mail.lost"), "there is no 'mail.lost'"),
        (("--since", "yesterday"), "--since: set unix seconds"),
        (("--last", "0"), "--last: 1 to 100000"),
    ],
)
def test_a_mistake_is_one_line(project: Project, url: str, args: tuple[str], said: str) -> None:
    code, out, err = project.run("events", "--database", url, *args)
    assert (code, out) == (2, "")
    assert said in err


def test_without_a_database_it_says_so(project: Project) -> None:
    code, _, err = project.run("events")
    assert code == 2
    assert "say which database" in err


def test_times_are_read_in_three_ways() -> None:
    assert parse_when("--since", None, NOW) is None
    assert parse_when("--since", "1800", NOW) == 1800
    assert parse_when("--since", "2h", NOW) == NOW - 7200
    assert parse_when("--since", "2027-01-15", NOW) == 1_799_971_200
    assert parse_when("--since", "2027-01-15T09:00+01:00", NOW) == 1_800_000_000
    with pytest.raises(UsageError):
        parse_when("--since", "2 h", NOW)


def test_a_line_shows_nothing_that_a_terminal_obeys() -> None:
    event = Event(at=NOW, kind="mail.deferred", reason="a\x1b[2Jb\x9bc", tries=0, attempt="a-1")
    line = write_line(StoredEvent(event), KINDS, has_colors=False, of_attempt=False)
    assert line.startswith("2027-01-15 08:00:00  mail.deferred          -")
    assert line.endswith("reason a\ufffd[2Jb\ufffdc · tries 0 · login a-1")
    assert "\x1b[33mmail.deferred" in write_line(
        StoredEvent(event), KINDS, has_colors=True, of_attempt=False
    )


def test_a_changed_setting_is_shown_with_both_values_and_none_as_a_dash() -> None:
    event = Event(
        at=NOW,
        kind="settings.changed",
        by="operator:ana",
        details={"name": "sessions.idle", "from": "3600", "to": ""},
    )
    line = write_line(StoredEvent(event), KINDS, has_colors=False, of_attempt=False)
    assert line.endswith("by operator:ana · name sessions.idle · from 3600 · to -")


def test_an_address_that_is_none_is_named(project: Project, url: str) -> None:
    project.wrapped(f"base_url='https://app.example.com', mailer=Outbox(), database={url!r}")
    code, _, err = project.run("events", "--app", "site_app:app", "--person", "jo@")
    assert code == 2
    assert "Enter one email address" in err


def test_it_ends_quietly_when_somebody_has_seen_enough(
    project: Project, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(coroutine: Coroutine[object, object, None]) -> None:
        coroutine.close()
        raise KeyboardInterrupt

    monkeypatch.setattr(asyncio, "run", interrupt)
    assert lines(project, "--database", url, "--follow") == []


def test_it_follows_what_a_process_writes_until_nobody_reads(url: str) -> None:
    command = [sys.executable, "-m", "pwless_middleware", "events", "--follow", "--json"]
    process = subprocess.Popen(
        [*command, "--last", "1", "--database", url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["kind"] == "mail.sent"

    async def live() -> None:
        site = make_site(database=url)
        site.clock.advance(120)
        await site.browser().ask("di@example.com")
        await site.passwordless.lifetime.close()

    asyncio.run(live())
    assert json.loads(process.stdout.readline())["kind"] == "send.requested"
    process.stdout.close()
    asyncio.run(live())
    assert process.wait(30) == 0
    assert process.stderr is not None
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.anyio
async def test_following_shows_what_comes_late_and_nothing_twice() -> None:
    repository = MemoryEvents()
    history = EventHistory(Events(None, Clock()), repository)

    def event(at: int, tries: int) -> StoredEvent:
        id = format_event_id(at, tries)
        return StoredEvent(Event(at=at, kind="mail.sent", id=id, tries=tries))

    older, old = event(NOW, 0), event(NOW, 1)
    coming = [[event(NOW + 2, 2)], [event(NOW + 1, 3), event(NOW + 9, 4)], [event(NOW + 10, 5)]]
    await repository.write([older, old])

    async def pause(seconds: float) -> None:
        await repository.write(coming.pop(0))

    following: AsyncIterator[StoredEvent] = follow(
        history, {"kind": ["mail.sent"]}, old.event.id or "", pause=pause
    )
    shown = [(await anext(following)).event.tries for _ in range(4)]
    assert shown == [2, 3, 4, 5]

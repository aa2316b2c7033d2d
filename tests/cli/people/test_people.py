"""`pwless people`: what it does to the people of an app's database, and what it prints of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from pwless_middleware.cli.installation import OUT_OF_REACH
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import SQLEvents
from pwless_middleware.languages.languages import COMPLETE
from tests.cli.conftest import Project
from tests.support import Clock, make_site

JO = "jo@example.com"
URL = "sqlite:///people.db"


@pytest.fixture
def app(project: Project) -> Project:
    """An app with a database in its folder."""
    project.wrapped(f"base_url='http://localhost:8000', mailer=Outbox(), database={URL!r}")
    return project


def people(app: Project, *args: str) -> str:
    """Run the command on the app, and return what it prints."""
    code, out, err = app.run("people", *args, "--app", "site_app:app")
    assert (code, err) == (0, "")
    return out


def shown(app: Project, who: str = JO) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(people(app, "show", who, "--json"))
    return found


def test_somebody_is_added_found_disabled_and_enabled(app: Project) -> None:
    added = json.loads(people(app, "create", "Jo@Example.com", "--name", "Jo", "--json"))
    assert (added["email"], added["name"], added["seen_at"]) == (JO, "Jo", None)
    assert shown(app, added["id"]) == added
    assert "signed out everywhere" in people(app, "disable", JO)
    assert shown(app)["disabled_at"] is not None
    line = people(app, "list")
    assert line.startswith(f"{JO}  id {added['id']}, name 'Jo', created ")
    assert ", never seen, disabled " in line
    people(app, "enable", added["id"])
    assert shown(app)["disabled_at"] is None


@pytest.mark.parametrize(
    ("email", "id"),
    [
        ("jo10@example.com", "-ntnq1UnRqBm9HrjPjYeHQ"),
        ("jo2190@example.com", "--oStyz6hlsGucwOCt0AIg"),
    ],
)
def test_an_id_that_begins_with_a_hyphen_is_no_option(email: str, id: str, app: Project) -> None:
    """One in 64 does; it is taken as it is copied from a page."""
    assert json.loads(people(app, "create", email, "--json"))["id"] == id
    assert shown(app, id)["email"] == email
    code, out, err = app.run("events", "--person", id, "--app", "site_app:app")
    assert (code, err) == (0, "")
    assert "person.created" in out


def test_people_are_listed_by_prefix_and_page(app: Project) -> None:
    for name in ("a1", "a2", "b1"):
        people(app, "create", f"{name}@example.com", "--language", "de")
    emails = [line.split()[0][:2] for line in people(app, "list", "--prefix", "a").splitlines()]
    assert emails == ["a1", "a2"]
    page = people(app, "list", "--after", "a1@example.com", "--limit", "1", "--json")
    assert [json.loads(line)["email"] for line in page.splitlines()] == ["a2@example.com"]


def test_the_disabled_and_those_who_came_last_are_listed(app: Project) -> None:
    for name in ("b", "a", "c"):
        people(app, "create", f"{name}@example.com")
    people(app, "disable", "b@example.com")
    listed = [json.loads(one) for one in people(app, "list", "--disabled", "--json").splitlines()]
    assert [one["email"] for one in listed] == ["b@example.com"]
    assert len(people(app, "list", "--newest", "--limit", "2").splitlines()) == 2


def test_name_and_language_are_edited(app: Project) -> None:
    people(app, "create", JO, "--name", "Jo")
    edited = json.loads(people(app, "edit", JO, "--language", "de", "--json"))
    assert (edited["name"], edited["language"]) == ("Jo", "de")
    assert shown(app) == edited
    people(app, "edit", JO, "--name", "")
    assert shown(app)["name"] == ""


def test_an_export_is_json_and_a_deletion_is_asked_about(
    app: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = json.loads(people(app, "create", JO, "--json"))
    told = json.loads(people(app, "export", JO))
    assert told["person"] == added
    assert [event["by"] for event in told["events"]] == ["command_line", "command_line"]
    code, out, err = app.run("people", "delete", JO, "--app", "site_app:app")
    assert (code, out) == (2, "")
    assert "add --yes" in err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for answer, says in (("n", "nothing was erased"), ("", "nothing was erased")):
        monkeypatch.setattr("builtins.input", lambda _, answer=answer: answer)
        assert says in app.run("people", "delete", JO, "--app", "site_app:app")[2]
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert people(app, "delete", JO) == "erased\n"
    assert people(app, "list") == ""


async def sign_in(app: Project) -> Any:
    """Sign in as a browser of the app's own process, whose clock is the machine's."""
    site = make_site(database=URL, base_url="http://localhost:8000", clock=Clock())
    jo = site.browser()
    await jo.sign_in(JO)
    return site, jo


def test_sessions_end_in_the_app_s_own_process(app: Project) -> None:
    app.wrapped(
        "base_url='http://localhost:8000', mailer=Outbox(), clock=lambda: 1_800_000_000,"
        f" database={URL!r}"
    )

    async def live() -> None:
        site, jo = await sign_in(app)
        assert await jo.who() == JO
        await asyncio.to_thread(app.run, "people", "disable", JO, "--app", "site_app:app")
        site.forget_sessions()
        assert await jo.who() is None
        await asyncio.to_thread(app.run, "people", "enable", JO, "--app", "site_app:app")
        await jo.sign_in(JO)
        line = await asyncio.to_thread(people, app, "sessions", JO)
        id = line.split()[0]
        assert "email_code; began" in line
        assert await asyncio.to_thread(people, app, "end-session", JO, id) == "ended\n"
        site.forget_sessions()
        assert await jo.who() is None
        await site.passwordless.lifetime.close()

    asyncio.run(live())


def test_what_is_done_is_in_the_events(app: Project) -> None:
    people(app, "create", JO)
    people(app, "export", JO)

    async def kinds() -> list[str]:
        database = Database(URL)
        found = await SQLEvents(database).find(EventFilter(), after=-1)
        await database.aclose()
        return [stored.event.kind for stored in found]

    assert asyncio.run(kinds()) == ["person.created", "person.exported"]


def test_who_is_invited_waits_in_the_queue_of_the_app(app: Project) -> None:
    invited = json.loads(people(app, "create", JO, "--invite", "--json"))
    assert shown(app) == invited
    code, _, err = app.run("people", "create", JO, "--invite", "--app", "site_app:app")
    assert (code, "invited just now" in err) == (2, True)


def test_nobody_is_invited_by_a_queue_in_the_app_s_memory(app: Project) -> None:
    app.wrapped(
        f"base_url='http://localhost:8000', mailer=Outbox(), store=MemoryStore(), database={URL!r}"
    )
    code, _, err = app.run("people", "create", JO, "--invite", "--app", "site_app:app")
    assert (code, "leave out --invite" in err) == (2, True)
    assert people(app, "list") == ""


def test_where_sessions_are_in_the_app_s_memory_it_says_so(app: Project) -> None:
    app.wrapped(
        f"base_url='http://localhost:8000', mailer=Outbox(), store=MemoryStore(), database={URL!r}"
    )
    people(app, "create", JO)
    code, out, err = app.run("people", "disable", JO, "--app", "site_app:app")
    assert (code, err.strip()) == (1, OUT_OF_REACH)
    assert "disabled" in out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("show", JO), "nobody with this id or address"),
        (("disable", "x"), "nobody with this id or address"),
        (("delete", JO, "--yes"), "nobody with this id or address"),
        (("create", "no address"), "email: Enter one email address"),
        (("create", JO, "--language", "xx"), f"language: Send one of {', '.join(COMPLETE)}"),
        (("list", "--limit", "0"), "limit: Send 1 to 1000"),
        (("list", "--newest", "--prefix", "a"), "leave out --prefix"),
        (("edit", JO), "--name or --language"),
        (("edit", JO, "--name", "Jo"), "nobody with this id or address"),
        (("end-session", JO, "x"), "nobody with this id or address"),
    ],
)
def test_what_cannot_be_done_is_one_line(args: tuple[str, ...], says: str, app: Project) -> None:
    code, out, err = app.run("people", *args, "--app", "site_app:app")
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_without_a_database_it_says_what_to_add(project: Project) -> None:
    project.wrapped("base_url='http://localhost:8000', mailer=Outbox()")
    code, _, err = project.run("people", "list", "--app", "site_app:app")
    assert code == 2
    assert "add database=" in err

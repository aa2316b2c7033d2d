"""`pwless people reset-passkeys`: nobody signs in with them any more, and nobody is signed in."""

from __future__ import annotations

import asyncio
import json

import pytest

from pwless_middleware import EmailLogin, Passkeys
from pwless_middleware.cli.installation import OUT_OF_REACH
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import SQLEvents
from pwless_middleware.database.factors.passkeys import SQLPasskeys
from tests.cli.conftest import KEY, Project
from tests.passkeys import make_passkey
from tests.support import Clock, make_site

JO = "jo@example.com"
URL = "sqlite:///people.db"
OPTIONS = f"base_url='http://localhost:8000', mailer=Outbox(), database={URL!r}"


@pytest.fixture
def app(project: Project) -> Project:
    """An app with passkeys and a database in its folder."""
    project.wrapped(f"{OPTIONS}, features=[EmailLogin(), Passkeys()]")
    return project


def create(app: Project) -> str:
    """Make Jo; gives the id."""
    _, out, _ = app.run("people", "create", JO, "--json", "--app", "site_app:app")
    return str(json.loads(out)["id"])


def reset(app: Project, who: str = JO) -> tuple[int, str, str]:
    return app.run("people", "reset-passkeys", who, "--app", "site_app:app")


async def add(*passkeys: Passkey) -> None:
    database = Database(URL)
    for passkey in passkeys:
        assert await SQLPasskeys(database).add(passkey, most=10) == "added"
    await database.aclose()


async def left(user_id: str) -> tuple[int, list[tuple[str, str | None]]]:
    """Return how many passkeys a person has, and what was done to them by whom."""
    database = Database(URL)
    passkeys = await SQLPasskeys(database).list(user_id)
    found = await SQLEvents(database).find(EventFilter(), after=-1)
    await database.aclose()
    told = [(one.event.kind, one.event.by) for one in found if "passkey" in one.event.kind]
    return len(passkeys), told


def test_all_of_one_person_go_and_the_event_says_who_did_it(app: Project) -> None:
    jo = create(app)
    asyncio.run(add(make_passkey(jo), make_passkey(jo, 2), make_passkey("kim", 3)))
    code, out, err = reset(app)
    assert (code, out, err) == (0, f"{JO}: 2 passkeys removed, signed out everywhere\n", "")
    assert asyncio.run(left(jo)) == (0, [("passkey.removed", "command_line")])
    assert asyncio.run(left("kim"))[0] == 1
    assert reset(app, jo)[:2] == (0, f"{jo}: no passkeys removed, signed out everywhere\n")


def test_the_app_s_own_process_ends_the_sessions_and_sends_the_mail(app: Project) -> None:
    app.wrapped(f"{OPTIONS}, features=[EmailLogin(), Passkeys()], clock=lambda: 1_800_000_000")

    async def live() -> None:
        site = make_site(
            database=URL,
            base_url="http://localhost:8000",
            secret_key=KEY,
            clock=Clock(),
            features=[EmailLogin(), Passkeys()],
        )
        jo = site.browser()
        await jo.sign_in(JO)
        assert await jo.who() == JO
        await add(make_passkey((await jo.get("/private")).json()["id"]))
        code, _, err = await asyncio.to_thread(reset, app)
        assert (code, err) == (0, "")
        site.forget_sessions()
        assert await jo.who() is None
        await site.browser().ask("kim@example.com")  # an `Outbox` is served by requests
        assert "removed" in site.mail(JO).subject
        await site.passwordless.lifetime.close()

    asyncio.run(live())


def test_where_sessions_are_in_the_app_s_memory_it_says_so(app: Project) -> None:
    app.wrapped(f"{OPTIONS}, features=[EmailLogin(), Passkeys()], store=MemoryStore()")
    asyncio.run(add(make_passkey(create(app))))
    code, out, err = reset(app)
    assert (code, err.strip()) == (1, OUT_OF_REACH)
    assert "1 passkey removed" in out


def test_what_cannot_be_done_is_one_line(app: Project) -> None:
    for who in (JO, "nobody"):
        code, out, err = reset(app, who)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "nobody with this id or address" in err


def test_without_the_feature_it_says_what_to_add(app: Project) -> None:
    app.wrapped(OPTIONS)
    code, _, err = reset(app)
    assert code == 2
    assert "add Passkeys(...)" in err

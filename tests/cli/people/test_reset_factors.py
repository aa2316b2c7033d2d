"""`pwless people reset-factors`: nobody is asked for them any more, and nobody is signed in."""

from __future__ import annotations

import asyncio
import json

import pytest

from pwless_middleware.cli.installation import OUT_OF_REACH
from pwless_middleware.core.events.event_search import EventFilter
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.database.database import Database
from pwless_middleware.database.events.events import SQLEvents
from pwless_middleware.database.factors.factor_resets import SQLFactorResets
from pwless_middleware.database.factors.factors import SQLFactors
from tests.cli.conftest import Project
from tests.factors import make_factor

JO = "jo@example.com"
URL = "sqlite:///people.db"
IMPORT = "from pwless_middleware.features.second_factors import SecondFactors\n"
OPTIONS = f"base_url='http://localhost:8000', mailer=Outbox(), database={URL!r}"
FEATURES = "features=[EmailLogin(), SecondFactors(reset_wait=3600)]"


@pytest.fixture
def app(project: Project) -> Project:
    """An app with second factors and a database in its folder."""
    write(project, f"{OPTIONS}, {FEATURES}")
    return project


def write(project: Project, options: str) -> None:
    project.wrapped(options)
    file = project.folder / "site_app.py"
    file.write_text(IMPORT + file.read_text())


def create(app: Project) -> str:
    """Make Jo; gives the id."""
    _, out, _ = app.run("people", "create", JO, "--json", "--app", "site_app:app")
    return str(json.loads(out)["id"])


def reset(app: Project, *options: str, who: str = JO) -> tuple[int, str, str]:
    return app.run("people", "reset-factors", who, *options, "--app", "site_app:app")


async def add(*factors: Factor) -> None:
    database = Database(URL)
    for factor in factors:
        given = {"most": 10, "may_be_alone": True}
        assert await SQLFactors(database).add(factor, **given) == "added"  # type: ignore[arg-type]
    await database.aclose()


async def left(user_id: str) -> tuple[int, bool, list[tuple[str, str | None]]]:
    """Return how many factors a person has, whether a reset waits, and what was done by whom."""
    database = Database(URL)
    factors = (await SQLFactors(database).state(user_id)).factors
    waiting = await SQLFactorResets(database).open_of(user_id)
    found = await SQLEvents(database).find(EventFilter(), after=-1)
    await database.aclose()
    told = [(one.event.kind, one.event.by) for one in found if "factor" in one.event.kind]
    return len(factors), waiting is not None, told


def test_all_of_one_person_go_and_the_event_says_who_did_it(app: Project) -> None:
    jo = create(app)
    asyncio.run(add(make_factor(jo), make_factor(jo, 2), make_factor("kim", 3)))
    code, out, err = reset(app, "--now")
    told = f"{JO}: 2 second factors and any passkeys removed, signed out everywhere\n"
    assert (code, out, err) == (0, told, "")
    assert asyncio.run(left(jo)) == (0, False, [("factor.reset", "command_line")])
    assert asyncio.run(left("kim"))[0] == 1


def test_where_the_deployment_has_a_wait_it_waits(app: Project) -> None:
    jo = create(app)
    asyncio.run(add(make_factor(jo)))
    code, out, err = reset(app)
    assert (code, err) == (0, "")
    assert out.startswith(f"{JO}: second factors are removed on 20")
    assert out.endswith("UTC, unless they object\n")
    assert asyncio.run(left(jo)) == (1, True, [("factor.reset_asked", "command_line")])
    assert "1 second factor and any" in reset(app, "--now")[1]
    assert asyncio.run(left(jo))[:2] == (0, False)


def test_how_long_it_waits_can_be_said(app: Project) -> None:
    create(app)
    assert "unless they object" in reset(app, "--wait", "1m")[1]
    assert "no second factors" in reset(app, "--wait", "0")[1]
    for options in (
        ["--wait", "-1"],
        ["--wait", "31d"],
        ["--wait", "soon"],
        ["--wait", "1", "--now"],
    ):
        code, out, err = reset(app, *options)
        assert (code, out) == (2, "")
        assert "--wait" in err


def test_nobody_waits_where_no_mail_can_tell_of_it(app: Project) -> None:
    write(app, f"{OPTIONS}, {FEATURES}, store=MemoryStore()")
    jo = create(app)
    asyncio.run(add(make_factor(jo)))
    code, out, err = reset(app)
    assert (code, out) == (2, "")
    assert "add --now" in err
    assert asyncio.run(left(jo))[:2] == (1, False)
    code, out, err = reset(app, "--now")
    assert (code, err.strip()) == (1, OUT_OF_REACH)


def test_what_cannot_be_done_is_one_line(app: Project) -> None:
    for who in (JO, "nobody"):
        code, out, err = reset(app, who=who)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "nobody with this id or address" in err


def test_without_the_feature_it_says_what_to_add(app: Project) -> None:
    app.wrapped(OPTIONS)
    code, _, err = reset(app)
    assert code == 2
    assert "add SecondFactors(...)" in err

"""`pwless operator`: who may use the dashboard, said where nobody can sign in yet."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Project

APP = ("--app", "site_app:app")
OPTIONS = "base_url='http://localhost:8000', mailer=Outbox(), database='sqlite:///pwless.db'"


@pytest.fixture
def installation(project: Project) -> Project:
    project.wrapped(
        f"{OPTIONS}, features=[EmailLogin(), Dashboard(operators=['ops@acme.example'])]"
    )
    return project


def listed(project: Project) -> list[dict[str, object]]:
    code, out, _ = project.run("operator", "list", "--json", *APP)
    assert code == 0
    rows: list[dict[str, object]] = json.loads(out)
    return rows


def test_an_operator_is_made_changed_and_removed(installation: Project) -> None:
    code, out, err = installation.run("operator", "add", "Jo@Example.com", *APP)
    assert (code, err) == (0, "")
    assert "with the role admin" in out
    fixed, jo = listed(installation)
    assert (fixed["email"], fixed["role"], fixed["by"]) == ("ops@acme.example", "admin", "code")
    assert (jo["email"], jo["role"], jo["by"]) == ("jo@example.com", "admin", "command_line")
    for role in ("view", "support"):
        installation.run("operator", "add", "jo@example.com", "--role", role, *APP)
        assert listed(installation)[1]["role"] == role
    _, out, _ = installation.run("operator", "list", *APP)
    assert out.splitlines()[0].split() == ["ADDRESS", "ROLE", "SINCE", "BY"]
    assert installation.run("operator", "remove", "jo@example.com", *APP)[0] == 0
    assert len(listed(installation)) == 1
    code, out, _ = installation.run("operator", "remove", "jo@example.com", *APP)
    assert (code, out) == (0, "jo@example.com is no operator already\n")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("add", "jo"), "Enter one email address"),
        (("add", "jo@example.com", "--role", "owner"), "invalid choice"),
        (("remove", "OPS@acme.example"), "named in the code"),
        (("add",), "ADDRESS"),
    ],
)
def test_a_mistake_is_one_line(args: tuple[str, ...], says: str, installation: Project) -> None:
    code, out, err = installation.run("operator", *args, *APP)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_the_last_admin_stays(project: Project) -> None:
    project.wrapped(f"{OPTIONS}, features=[EmailLogin(), Dashboard()]")
    project.run("operator", "add", "jo@example.com", *APP)
    for args in (("remove", "jo@example.com"), ("add", "jo@example.com", "--role", "view")):
        code, _, err = project.run("operator", *args, *APP)
        assert code == 2
        assert "last admin" in err


def test_without_a_dashboard_it_says_what_to_add(project: Project) -> None:
    project.wrapped(OPTIONS)
    code, _, err = project.run("operator", "add", "jo@example.com", *APP)
    assert code == 2
    assert "add Dashboard(...)" in err

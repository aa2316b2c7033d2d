"""`check` says where nobody may use the dashboard."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Project

OPTIONS = "base_url='http://localhost:8000', mailer=Outbox(), database='sqlite:///pwless.db'"
APP = ("--app", "site_app:app")


@pytest.mark.parametrize(
    ("operators", "level", "says"),
    [
        ("", "warn", "nobody may use the dashboard: run `pwless operator add ADDRESS`"),
        ("operators={'a@acme.example': 'view'}", "warn", "nobody has the role admin"),
        ("operators=['a@acme.example']", "ok", "1 of the dashboard"),
    ],
)
def test_a_dashboard_of_nobody(operators: str, level: str, says: str, project: Project) -> None:
    project.wrapped(f"{OPTIONS}, features=[EmailLogin(), Dashboard({operators})]")
    project.run("operator", "list", *APP)  # makes the tables
    _, found = project.check("site_app:app")
    assert found["operators"][0] == level
    assert says in found["operators"][1]


def test_who_is_added_is_seen(project: Project) -> None:
    project.wrapped(f"{OPTIONS}, features=[EmailLogin(), Dashboard()]")
    project.run("operator", "add", "jo@example.com", *APP)
    assert project.check("site_app:app")[1]["operators"] == ("ok", "1 of the dashboard")


def test_without_a_dashboard_nothing_is_said(project: Project) -> None:
    project.wrapped(OPTIONS)
    assert "operators" not in project.check("site_app:app")[1]

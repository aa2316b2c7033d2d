"""`pwless people change-address`: asked for, taken back, and refused in one line."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Project

JO, NEW = "jo@example.com", "new@example.com"
URL = "sqlite:///people.db"


@pytest.fixture
def app(project: Project) -> Project:
    """An app with a database in its folder, where there is Jo."""
    project.wrapped(f"base_url='http://localhost:8000', mailer=Outbox(), database={URL!r}")
    assert people(project, "create", JO)[0] == 0
    return project


def people(app: Project, *args: str) -> tuple[int, str, str]:
    """Run the command on the app."""
    return app.run("people", *args, "--app", "site_app:app")


def test_an_address_is_asked_for_and_taken_back(app: Project) -> None:
    code, out, err = people(app, "change-address", JO, NEW)
    assert (code, err) == (0, "")
    assert f"an email is on its way to {NEW}, to be confirmed until " in out
    told = json.loads(people(app, "export", JO)[1])
    assert [one["new"] for one in told["address_requests"]] == [NEW]
    assert people(app, "change-address", JO, "--withdraw")[1] == f"{JO}: nothing changes\n"
    assert people(app, "change-address", JO, "--withdraw")[1] == f"{JO}: nothing was waiting\n"


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((JO,), "name the new address"),
        ((JO, NEW, "--withdraw"), "name the new address"),
        ((JO, "no address"), "EMAIL: Enter one email address"),
        ((JO, JO), "EMAIL: This is their address already."),
        (("x@example.com", NEW), "nobody with this id or address"),
    ],
)
def test_what_cannot_be_is_one_line(app: Project, args: tuple[str, ...], says: str) -> None:
    code, out, err = people(app, "change-address", *args)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_nobody_is_asked_by_a_queue_in_the_app_s_memory(project: Project) -> None:
    project.wrapped(
        f"base_url='http://localhost:8000', mailer=Outbox(), store=MemoryStore(), database={URL!r}"
    )
    code, _, err = people(project, "change-address", JO, NEW)
    assert (code, "no mail would be sent" in err) == (2, True)

"""`pwless explain`: what would happen if somebody signed in now, and why."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Project

JO = "jo@acme.example"


@pytest.fixture
def app(project: Project) -> Project:
    """An app with organizations and second factors."""
    project.wrapped(
        "base_url='http://localhost:8000', mailer=Outbox(), database='sqlite:///explain.db', "
        "features=[EmailLogin(), Passkeys(), SecondFactors(), Organizations()]"
    )
    return project


def run(app: Project, *args: str) -> tuple[int, str, str]:
    return app.run("explain", *args, "--app", "site_app:app")


def test_facts_demands_and_ways_are_printed(app: Project) -> None:
    app.run("organizations", "create", "Acme", "--external-id", "acme", "--app", "site_app:app")
    app.run("people", "create", JO, "--app", "site_app:app")
    app.run("organizations", "add-member", "acme", JO, "--app", "site_app:app")
    app.run("organizations", "policy", "acme", "mfa=required", "--app", "site_app:app")
    code, out, err = run(app, JO, "--organization", "acme")
    assert (code, err) == (0, "")
    assert "No organization has verified acme.example." in out
    assert "They are a member of Acme." in out
    assert "  Everybody is asked for a second factor. (Acme)" in out
    rows = dict(
        line.split(maxsplit=1) for line in out.partition("Ways in:")[2].splitlines() if line
    )
    assert rows["email"].startswith("They add a second factor in the login: Authenticator app")
    assert rows["passkey"] == "They have no passkey."


def test_it_is_json_as_well(app: Project) -> None:
    code, out, _ = run(app, JO, "--json")
    told = json.loads(out)
    assert code == 0
    assert {way["method"]: way["outcome"] for way in told["ways"]} == {
        "email": "session",
        "passkey": "denied",
    }


@pytest.mark.parametrize(
    ("args", "why"),
    [(("jo",), "is not an email address"), ((JO, "--organization", "no"), "no such organization")],
)
def test_what_is_wrong_is_said(app: Project, args: tuple[str, ...], why: str) -> None:
    code, out, err = run(app, *args)
    assert (code, out) == (2, "")
    assert why in err

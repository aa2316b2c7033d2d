"""`pwless organizations`: what it does to an app's organizations, and what it prints of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Project

URL = "sqlite:///organizations.db"
JO = "jo@acme.example"


@pytest.fixture
def app(project: Project) -> Project:
    """An app with organizations in a database in its folder."""
    project.wrapped(
        f"base_url='http://localhost:8000', mailer=Outbox(), database={URL!r}, "
        "store=SQLStore(Database(" + repr(URL) + ")), features=[EmailLogin(), Organizations()]"
    )
    return project


def run(app: Project, *args: str) -> str:
    """Run the command on the app, and return what it prints."""
    code, out, err = app.run("organizations", *args, "--app", "site_app:app")
    assert (code, err) == (0, "")
    return out


def refused(app: Project, *args: str) -> str:
    """Run the command on the app, and return why it does nothing."""
    code, out, err = app.run("organizations", *args, "--app", "site_app:app")
    assert (code, out) == (2, "")
    return err


def create(app: Project) -> dict[str, Any]:
    """Make Acme."""
    made = run(app, "create", "Acme", "--external-id", "acme", "--json")
    return dict(json.loads(made))


def test_one_is_made_found_edited_and_deleted(app: Project) -> None:
    made = create(app)
    assert run(app, "list", "--search", "acm").splitlines()[1].split()[:3] == [
        "Acme",
        made["id"],
        "acme",
    ]
    edited = json.loads(run(app, "edit", "acme", "--language", "de", "--json"))
    assert (edited["language"], edited["version"]) == ("de", 2)
    assert "say what to change" in refused(app, "edit", "acme")
    assert "name: " in refused(app, "edit", "acme", "--name", "x" * 101)
    assert "add --yes" in refused(app, "delete", "acme")
    assert run(app, "delete", "acme", "--yes") == "deleted\n"
    assert "no such organization" in refused(app, "show", "acme")


def test_a_policy_is_shown_and_changed_field_by_field(app: Project) -> None:
    create(app)
    told = run(app, "policy", "acme", "mfa=optional", "methods=email,passkey", "trusted_days=0")
    rows = dict(line.split(maxsplit=1) for line in told.splitlines())
    assert rows["mfa"] == "optional"
    assert rows["methods"] == "email, passkey"
    assert rows["trusted_days"] == "0"
    assert rows["sso"] == "-"
    run(app, "policy", "acme", "mfa=null", "methods=[]")
    policy = json.loads(run(app, "policy", "acme", "--json"))
    assert (policy["mfa"], policy["methods"], policy["trusted_days"]) == (None, [], 0)
    assert "Nobody can sign in. (Acme)" in run(app, "show", "acme")
    assert "held to its policy" in run(app, "apply-now", "acme")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("mfa", "write FIELD=VALUE"),
        ("mfa=maybe", "mfa: Send one of off, optional, required."),
        ("nfa=off", "nfa: Send one of methods"),
        ("sso=required", "break_glass: Name somebody"),
        ("idle=5", "idle: Send 60 to"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said(app: Project, change: str, why: str) -> None:
    create(app)
    assert why in refused(app, "policy", "acme", change)


def test_members_are_added_listed_and_removed(app: Project) -> None:
    create(app)
    problem = refused(app, "add-member", "acme", JO)
    assert "nobody has the address" in problem
    assert "who has no account yet is invited" in problem
    app.run("people", "create", JO, "--app", "site_app:app")
    assert "is a member of Acme" in run(app, "add-member", "acme", JO, "--role", "admin")
    assert "is viewer in Acme" in run(app, "set-role", "acme", JO, "viewer")
    (member,) = json.loads(run(app, "members", "acme", "--json"))
    assert (member["role"], member["origin"], member["is_active"]) == ("viewer", "operator", True)
    run(app, "deactivate-member", "acme", JO)
    assert "deactivated" in run(app, "members", "acme")
    run(app, "activate-member", "acme", member["user_id"])
    assert json.loads(run(app, "show", "acme", "--json"))["members"] == 1
    run(app, "remove-member", "acme", JO)
    assert json.loads(run(app, "members", "acme", "--json")) == []


def test_somebody_is_invited_and_that_is_taken_back(app: Project) -> None:
    create(app)
    run(app, "invite", "acme", JO, "--role", "admin", "--expires-in", "2d")
    (invitation,) = json.loads(run(app, "invitations", "acme", "--json"))
    assert (invitation["email"], invitation["role"]) == (JO, "admin")
    assert JO in run(app, "invitations", "acme")
    assert run(app, "revoke-invitation", "acme", invitation["id"]) == "taken back\n"
    assert json.loads(run(app, "invitations", "acme", "--json")) == []


def test_a_domain_is_noted_and_its_record_is_told(app: Project) -> None:
    create(app)
    told = run(app, "add-domain", "acme", "Acme.example")
    assert ".acme.example. TXT " in told
    (domain,) = json.loads(run(app, "domains", "acme", "--json"))
    assert (domain["name"], domain["verified_at"]) == ("acme.example", None)
    assert domain["record"] in told
    assert "acme.example, not verified" in run(app, "show", "acme")
    assert "domain: " in refused(app, "add-domain", "acme", "co.uk")
    assert run(app, "remove-domain", "acme", "acme.example") == "removed\n"
    assert len(run(app, "connections", "acme").splitlines()) == 1

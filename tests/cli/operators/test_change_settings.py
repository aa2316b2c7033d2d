"""`pwless settings`: what it prints, what it changes, and what it says to mistakes."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import KEY, Project

LOCAL = "base_url='http://localhost:8000', mailer=Outbox(), database='sqlite:///pwless.db'"
APP = ("--app", "site_app:app")


@pytest.fixture
def installation(project: Project) -> Project:
    project.wrapped(f"{LOCAL}, features=[EmailLogin(attempts=4)]")
    return project


def get(project: Project, name: str) -> dict[str, object]:
    code, out, err = project.run("settings", "get", name, *APP, "--json")
    assert (code, err) == (0, "")
    found: dict[str, object] = json.loads(out)
    return found


def test_values_are_set_listed_told_and_taken_back(installation: Project) -> None:
    pairs = ("email_login.lifetime=120", "email_login.kind=OTP", "email_login.signup=false")
    assert installation.run("settings", "set", *pairs, *APP, "--by", "operator:u-1")[0] == 0
    code, out, _ = installation.run("settings", "list", *APP)
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines()}
    assert code == 0
    assert rows["email_login.lifetime"] == ["120", "database"]
    assert rows["email_login.kind"] == ['"OTP"', "database"]
    assert rows["email_login.attempts"] == ["4", "code"]
    assert rows["email_login.allow"] == ['["*"]', "default"]
    assert rows["sessions.idle"] == ["604800", "default"]
    assert rows["email_login.send_limits.overall_per_hour"] == ["-", "default"]
    _, out, _ = installation.run("settings", "get", "email_login.lifetime", *APP)
    assert out.startswith("email_login.lifetime = 120  (database)\n")
    assert "from 60 to 3600, in seconds; default 300." in out
    assert installation.run("settings", "reset", "email_login.kind", *APP)[0] == 0
    assert get(installation, "email_login.kind")["source"] == "default"
    assert installation.run("settings", "revert", "0", *APP)[0] == 0
    assert get(installation, "email_login.lifetime")["value"] == 300
    _, out, _ = installation.run("settings", "history", *APP)
    assert "    email_login.lifetime: - → 120\n" in out
    assert out.count("command_line") == 2
    assert "operator:u-1" in out
    _, out, _ = installation.run("settings", "history", *APP, "--json", "--limit", "1")
    assert [change["version"] for change in json.loads(out)] == [3]


@pytest.mark.parametrize(
    "text", ['["*@acme.example", "jo@x.example"]', "*@acme.example,jo@x.example"]
)
def test_a_list_is_json_or_words(text: str, project: Project) -> None:
    project.wrapped(LOCAL)
    assert project.run("settings", "set", f"email_login.allow={text}", *APP) == (0, "", "")
    assert get(project, "email_login.allow")["value"] == ["*@acme.example", "jo@x.example"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("set", "email_login.lifetime"), "write NAME=VALUE"),
        (("set", "email_login.lifetime=5"), "set a whole number from 60 to 3600"),
        (("set", "email_login.lifetime=soon"), "set a whole number"),
        (("set", "email_login.attempts=5"), "given in code"),
        (("set", "sessions.idle=60", "sessions.idle=61"), "given twice"),
        (("get", "email_login.lifetimes"), "did you mean email_login.lifetime?"),
        (("reset", "nothing"), "no such setting"),
        (("revert", "7"), "no version 7"),
    ],
)
def test_a_mistake_is_one_line(args: tuple[str, ...], says: str, installation: Project) -> None:
    code, out, err = installation.run("settings", *args, *APP)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


def test_where_nobody_can_be_told_it_is_said(project: Project) -> None:
    project.wrapped(f"{LOCAL}, store=MemoryStore()")
    code, out, err = project.run("settings", "set", "sessions.idle=60", *APP)
    assert (code, out) == (0, "")
    assert "within 30 seconds" in err


def test_a_function_in_code_is_shown_as_one(project: Project) -> None:
    other = LOCAL.replace("8000", "8002")  # another login than those of the other tests
    project.wrapped(f"{other}, features=[EmailLogin(allow=lambda address: True)]")
    assert get(project, "email_login.allow")["value"] == "a function"
    _, out, _ = project.run("settings", "list", *APP)
    assert "a function" in out
    _, out, _ = project.run("settings", "list", "--json", *APP)
    assert {row["source"] for row in json.loads(out)} == {"code", "default"}


def test_without_a_database_it_says_how_to_add_one(project: Project) -> None:
    project.wrapped("base_url='http://localhost:8000', mailer=Outbox()")
    code, _, err = project.run("settings", "set", "sessions.idle=60", *APP)
    assert (code, "add database=" in err) == (2, True)


def test_the_variables_name_the_installation(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PWLESS_BASE_URL", "http://localhost:8000")
    monkeypatch.setenv("PWLESS_SECRET_KEY", KEY)
    monkeypatch.setenv("PWLESS_DATABASE_URL", "sqlite:///pwless.db")
    assert project.run("settings", "set", "sessions.idle=60")[0] == 0
    code, out, _ = project.run("settings", "get", "sessions.idle")
    assert (code, out.partition("\n")[0]) == (0, "sessions.idle = 60  (database)")
    assert project.run("settings", "set", "email_login.allow=*@acme.example")[0] == 0
    monkeypatch.setenv("PWLESS_ALLOW", "*")
    _, out, _ = project.run("settings", "get", "email_login.allow")
    assert out.startswith('email_login.allow = ["*"]  (code)')


def test_a_setting_that_somebody_has_changed_meanwhile_is_not_overwritten(
    installation: Project,
) -> None:
    version = str(get(installation, "email_login.lifetime")["version"])
    name = "email_login.lifetime"
    first = ("set", f"{name}=120", "--by", "ana", "--if-version", version)
    assert installation.run("settings", *first, *APP) == (0, "", "")
    for second in (("set", f"{name}=90"), ("reset", name), ("revert", "0")):
        code, out, err = installation.run(
            "settings", *second, "--if-version", version, *APP, "--by", "kim"
        )
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"{name}: ana has changed it in version 1" in err
    assert get(installation, name)["value"] == 120


def test_a_dry_run_prints_what_would_change_and_changes_nothing(installation: Project) -> None:
    pairs = ("email_login.lifetime=120", "brand.name=2024")
    code, out, err = installation.run("settings", "set", *pairs, *APP, "--dry-run")
    assert (code, err) == (0, "")
    assert out == '    brand.name: - → "2024"\n    email_login.lifetime: - → 120\n'
    assert get(installation, "email_login.lifetime")["version"] == 0
    assert installation.run("settings", "set", *pairs, *APP) == (0, "", "")
    assert installation.run("settings", "reset", "brand.name", *APP, "--dry-run")[1] == (
        '    brand.name: "2024" → -\n'
    )
    assert installation.run("settings", "set", *pairs, *APP, "--dry-run")[1] == ""

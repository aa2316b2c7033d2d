"""Which installation a command works on, and what it says where none can be found."""

from __future__ import annotations

import argparse
import os

import pytest

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    add_arguments,
    find_database,
    find_passwordless,
    serve_nobody,
)
from pwless_middleware.database.statement import Statement
from pwless_middleware.errors import ConfigError, PwlessError
from tests.cli.conftest import KEY, Project

COUNT = Statement("SELECT COUNT(*) FROM pwless_schema")
LOCAL = "base_url='http://localhost:8000', mailer=Outbox()"


def options(*args: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(args)


def variables(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"PWLESS_{name}", value)


@pytest.mark.anyio
@pytest.mark.parametrize("by", ["option", "variable", "app"])
async def test_the_database_is_named_by_option_variable_or_app(
    by: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "sqlite:///one.db"
    project.wrapped(f"{LOCAL}, database={url!r}")
    args = {"option": ["--database", url], "app": ["--app", "site_app:app"]}.get(by, [])
    if by == "variable":
        variables(monkeypatch, DATABASE_URL=url)
    database = find_database(options(*args), may_make=True)
    assert await database.fetch(COUNT())
    await database.aclose()
    assert (project.folder / "one.db").exists()


def test_what_only_reads_makes_no_file_by_a_slip_in_its_name(project: Project) -> None:
    with pytest.raises(UsageError, match=r"there is no database .*typo\.db: name its file"):
        find_database(options("--database", "sqlite:///typo.db"))
    assert not (project.folder / "typo.db").exists()


@pytest.mark.anyio
async def test_the_variables_say_everything_as_for_run(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables(monkeypatch, SECRET_KEY=KEY, BASE_URL="http://localhost:8000", ALLOW="*@acme.example")
    passwordless = find_passwordless(options("--database", "sqlite:///two.db"))
    assert passwordless.origin.url == "http://localhost:8000"
    async with serve_nobody(passwordless):
        assert (project.folder / "two.db").exists()
    assert "PWLESS_DATABASE_URL" not in os.environ


def test_the_login_is_found_in_the_app(project: Project) -> None:
    project.wrapped(LOCAL)
    assert find_passwordless(options("--app", "site_app:app")).origin.is_development


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "say which"),
        (["--app", "plain:app"], "no PasswordlessMiddleware"),
        (["--app", "twice:app"], "2 logins"),
        (["--app", "site_app:app", "--database", "sqlite:///x.db"], "leave one of them out"),
        (["--app", "nowhere:app"], "no module"),
    ],
)
def test_what_cannot_be_found_says_what_to_name(
    args: list[str], says: str, project: Project
) -> None:
    project.write("plain", "async def app(scope, receive, send): ...")
    project.wrapped(LOCAL)
    project.wrapped(LOCAL, "twice")
    with (project.folder / "twice.py").open("a") as module:
        module.write(
            f"app = PasswordlessMiddleware(app, secret_key={KEY!r}, {LOCAL}, prefix='/other',"
            " cookie_name='other')\n"
        )
    with pytest.raises(UsageError, match=says):
        find_passwordless(options(*args))


@pytest.mark.parametrize("args", [[], ["--app", "site_app:app"]])
def test_an_installation_without_a_database_says_how_to_add_one(
    args: list[str], project: Project
) -> None:
    project.wrapped(LOCAL)
    with pytest.raises(PwlessError, match=r"--database|add database="):
        find_database(options(*args))


def test_a_wrong_url_is_not_quoted(project: Project) -> None:
    with pytest.raises(ConfigError) as raised:
        find_database(options("--database", "mysql://jo:secret-pw@host/name"))
    assert "secret-pw" not in str(raised.value)

"""The command itself: keys, one line for a mistake, and how little it loads."""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys

import pytest

from pwless_middleware import __version__
from pwless_middleware.cli.main import parser
from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.web.identity.keys import ConfiguredKeys
from tests.cli.conftest import Project


def test_secret_prints_a_key_that_the_library_takes(project: Project) -> None:
    code, out, err = project.run("secret")
    assert (code, err) == (0, "")
    assert len(unb64(out.strip()) or b"") >= 32
    Keyring(out.strip(), realm="r")


def test_secret_prints_another_key_each_time(project: Project) -> None:
    assert project.run("secret")[1] != project.run("secret")[1]


def test_secret_makes_api_keys_that_the_library_takes(project: Project) -> None:
    code, out, _ = project.run("secret", "--api-key")
    assert code == 0
    assert ConfiguredKeys({"backend": out.strip()}).name_of(out.strip()) == "backend"


def test_version(project: Project) -> None:
    code, out, _ = project.run("--version")
    assert (code, out) == (0, f"pwless-middleware {__version__}\n")


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("nonsense",),
        ("secret", "--what"),
        ("check",),
        ("run",),
        ("check", "a:b", "--workers", "x"),
        ("people", "list", "--newest-ones"),  # no id that begins with a hyphen
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(args: tuple[str, ...], project: Project) -> None:
    code, out, err = project.run(*args)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "--help" in err


def test_help_names_the_commands(project: Project) -> None:
    code, out, _ = project.run("--help")
    assert code == 0
    assert all(name in out for name in ("secret", "check", "run"))


@pytest.mark.parametrize("command", ["secret", "check", "run"])
def test_each_command_has_help(command: str, project: Project) -> None:
    assert project.run(command, "--help")[0] == 0


def test_no_option_could_be_an_id() -> None:
    """Ids may begin with hyphens, and are told from options by what options are made of."""
    flags, parsers = set(), [parser()]
    for each in parsers:
        for action in each._actions:
            flags |= set(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                parsers += action.choices.values()
    assert len(flags) > 50
    assert [flag for flag in flags if not re.fullmatch(r"-[a-z]|--[a-z][a-z-]*", flag)] == []


def test_python_m_starts_it(monkeypatch: pytest.MonkeyPatch, project: Project) -> None:
    monkeypatch.setattr(sys, "argv", ["pwless", "secret"])
    with pytest.raises(SystemExit) as exit:
        importlib.import_module("pwless_middleware.__main__")
    assert exit.value.code == 0


def test_secret_does_not_wait_for_the_web_framework() -> None:
    code = (
        "import sys; from pwless_middleware.cli.main import main; main(['secret']);"
        "print([m for m in ('starlette', 'redis', 'aiosmtplib', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[1] == "[]"

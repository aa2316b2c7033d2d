"""The parser of all commands. A mistake is one line on stderr and exit code 2."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from pwless_middleware import __version__
from pwless_middleware.cli import run, secret
from pwless_middleware.cli.checks import check
from pwless_middleware.cli.database import rewrap, schema, transfer
from pwless_middleware.cli.events import events
from pwless_middleware.cli.importing import AppFailed, UsageError
from pwless_middleware.cli.operators import change_settings, keys, operators
from pwless_middleware.cli.organizations import explain, organizations
from pwless_middleware.cli.people import people, revoke
from pwless_middleware.errors import ConfigError, StoreError

_ID: Final = re.compile(r"(?!--[a-z][a-z-]*\Z)-[\w-]{7,}", re.ASCII)
"""A text that argparse takes for options and that is none: an id of base64url that begins with a
hyphen, as one in 64 does. Options begin with two, and are of small letters."""


class _Parser(argparse.ArgumentParser):
    """Report what is wrong in one line; argparse would print the whole usage above it."""

    def _parse_optional(self, arg_string: str) -> Any:
        # What argparse asks about each argument, `None` being no option; it has no public place for
        # this, and `--` in front of an id is nothing that whoever copies one from a page knows.
        return None if _ID.fullmatch(arg_string) else super()._parse_optional(arg_string)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands; each leaves its function in `command`."""
    top = _Parser(prog="pwless", description="Passwordless login for any ASGI app.")
    top.add_argument("--version", action="version", version=f"pwless-middleware {__version__}")
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    for module in (
        *(secret, check, run, people, revoke, events),
        *(schema, transfer, change_settings, keys, rewrap, operators),
        *(organizations, explain),
    ):
        module.add_to(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: what stands behind the program's name; `None` takes the process's own.

    Returns:
        The exit code: 0 all right, 1 `check` found something, 2 a mistake in the call.
    """
    options = parser().parse_args(argv)
    try:
        code: int = options.command(options)
    except AppFailed as failed:
        failed.show()
        print(f"pwless: {failed}", file=sys.stderr)
        return 2
    except (UsageError, ConfigError, StoreError) as error:
        print(f"pwless: {error}", file=sys.stderr)
        return 2
    return code

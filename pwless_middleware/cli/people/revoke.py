"""`revoke`: sign people out everywhere, or everybody.

pwless revoke jo@example.com --app main:app
pwless revoke --all --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    BY,
    OUT_OF_REACH,
    add_arguments,
    find_passwordless,
    serve_nobody,
)


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "revoke",
        help="sign people out everywhere",
        description="End the sessions of people, in every process within 100 ms. They may sign in "
        "again: `people disable` keeps them out.",
    )
    parser.add_argument("who", metavar="WHO", nargs="*", help="addresses or ids")
    parser.add_argument("--all", action="store_true", help="everybody's; needs a database")
    add_arguments(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """End them, and print how many there were.

    Returns:
        0, or 1 if the sessions are where they cannot be reached.

    Raises:
        UsageError: neither people nor `--all` were named, or both.
        ConfigError: `--all` without a database, or where the code says `not_before`.
        StoreError: store or database cannot be reached; sessions may go on.
        AppFailed: the app's own code raised.
    """
    if bool(options.who) == options.all:
        raise UsageError("name people, or say --all")
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    from pwless_middleware.stores.memory import MemoryStore

    passwordless = find_passwordless(options)
    if isinstance(passwordless.store, MemoryStore):
        print(OUT_OF_REACH, file=sys.stderr)
        return 1
    async with serve_nobody(passwordless):
        if options.all:
            await passwordless.sign_out_everybody(by=BY)
            print("everybody is signed out")
        for who in options.who:
            ended = await passwordless.sign_out(who, by=BY)
            print(f"{who}: {_say(ended)}")
    return 0


def _say(ended: int) -> str:
    if ended == 0:
        return "no session to end; is the address right?"
    return f"{ended} {'session' if ended == 1 else 'sessions'} ended"

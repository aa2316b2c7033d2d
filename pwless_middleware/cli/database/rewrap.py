"""`rewrap`: encrypt anew what the database keeps under an older key, before that key goes.

pwless rewrap --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from pwless_middleware.cli.installation import add_arguments, find_passwordless, serve_nobody


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "rewrap",
        help="encrypt anew what is under an older key",
        description="Encrypt anew, under the newest key of `secret_key`, what the database keeps "
        "under older ones, such as the secrets of authenticator apps. To be run once every process "
        "has the new key last in its list, and before the old one leaves it. The app may run.",
    )
    add_arguments(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Do it, and print for each feature how many there were.

    Returns:
        0.

    Raises:
        UsageError: no installation is named.
        ConfigError: an option is wrong, or a key that is still needed is not in the list.
        StoreError: store or database cannot be reached; may be run again.
        AppFailed: the app's own code raised.
    """
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    passwordless = find_passwordless(options)
    async with serve_nobody(passwordless):
        counts = await passwordless.rewrap()
    for name, count in counts.items():
        told = f"{count} encrypted anew" if count else "all is under the newest key"
        print(f"{name}: {told}")
    if not counts:
        print("no feature keeps anything that is encrypted")
    return 0

"""`people reset-passkeys`: for who has lost their passkeys, or has one that somebody else made.

pwless people reset-passkeys jo@example.com --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    BY,
    OUT_OF_REACH,
    add_arguments,
    find_passwordless,
    serve_nobody,
)
from pwless_middleware.errors import PersonNotFound

if TYPE_CHECKING:
    from pwless_middleware.passwordless import Passwordless


def add_to(actions: Any) -> None:
    """Add the action to those of `people`."""
    about = "remove all passkeys of a person, tell them by mail, and sign them out everywhere"
    parser = actions.add_parser(
        "reset-passkeys",
        help=about,
        description=f"{about.capitalize()}. They sign in by mail, and can make new ones.",
    )
    parser.add_argument("who", metavar="WHO", help="an address or an id")
    add_arguments(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Do it, and print what was done.

    Returns:
        0, or 1 if sessions of the person may go on where they cannot be reached.

    Raises:
        UsageError: nobody has this id or address.
        ConfigError: the app has no passkeys.
        StoreError: the database or the store cannot be reached.
        AppFailed: the app's own code raised.
    """
    return asyncio.run(_reset(find_passwordless(options), options.who))


async def _reset(passwordless: Passwordless, who: str) -> int:
    from pwless_middleware.features.passkeys import Passkeys
    from pwless_middleware.stores.memory import MemoryStore

    passkeys = passwordless.verbs(Passkeys)
    async with serve_nobody(passwordless):
        try:
            user_id = await passwordless.people.id_of(who)
        except PersonNotFound as error:
            raise UsageError(error.public_message) from None
        # In this order: whoever has a passkey of theirs would sign in again in between.
        count = await passkeys.reset(user_id, by=BY)
        await passwordless.sign_out(user_id)
    told = "no passkeys" if count == 0 else "1 passkey" if count == 1 else f"{count} passkeys"
    print(f"{who}: {told} removed, signed out everywhere")
    if isinstance(passwordless.store, MemoryStore):
        print(OUT_OF_REACH, file=sys.stderr)
        return 1
    return 0

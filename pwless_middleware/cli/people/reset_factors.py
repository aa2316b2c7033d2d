"""`people reset-factors`: for who has lost all second factors, or has one that is somebody else's.

pwless people reset-factors jo@example.com --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    BY,
    OUT_OF_REACH,
    add_arguments,
    find_passwordless,
    serve_nobody,
)
from pwless_middleware.cli.times import read_seconds
from pwless_middleware.errors import InvalidArgument, PersonNotFound

if TYPE_CHECKING:
    from pwless_middleware.passwordless import Passwordless


def add_to(actions: Any) -> None:
    """Add the action to those of `people`."""
    about = "remove all second factors of a person, tell them by mail, and sign them out everywhere"
    parser = actions.add_parser(
        "reset-factors",
        help=about,
        description=(
            f"{about.capitalize()}: authenticator apps, phone numbers, recovery codes, trusted "
            "browsers and passkeys. They sign in by mail, and can add new ones. Where there is a "
            "waiting time they can object until it is over."
        ),
    )
    parser.add_argument("who", metavar="WHO", help="an address or an id")
    when = parser.add_mutually_exclusive_group()
    when.add_argument(
        "--wait",
        metavar="TIME",
        help="how long they can object, e.g. 7d; default reset_wait, as the app has it",
    )
    when.add_argument(
        "--now",
        action="store_const",
        const="0",
        dest="wait",
        help="do it at once, and one that waits as well",
    )
    add_arguments(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Do it, and print what was done.

    Returns:
        0, or 1 if sessions of the person may go on where they cannot be reached.

    Raises:
        UsageError: nobody has this id or address, `--wait` is no time or out of range, or nobody
            could tell the person that there is something to object to.
        ConfigError: the app has no second factors.
        StoreError: the database or the store cannot be reached.
        AppFailed: the app's own code raised.
    """
    wait = None if options.wait is None else read_seconds("--wait", options.wait)
    return asyncio.run(_reset(find_passwordless(options), options.who, wait))


async def _reset(passwordless: Passwordless, who: str, wait: int | None) -> int:
    from pwless_middleware.features.second_factors import SecondFactors
    from pwless_middleware.stores.memory import MemoryStore

    factors = passwordless.verbs(SecondFactors)
    is_alone = isinstance(passwordless.store, MemoryStore)
    if is_alone and wait != 0:
        raise UsageError(
            "the store is in the memory of the app's process, so that no mail would tell the "
            "person: add --now, or give the app a store that others can reach"
        )
    async with serve_nobody(passwordless):
        try:
            user_id = await passwordless.people.id_of(who)
            result = await factors.reset(user_id, by=BY, wait=wait)
        except PersonNotFound as error:
            raise UsageError(error.public_message) from None
        except InvalidArgument as error:
            raise UsageError(f"--wait: {error.public_message}") from None
    if result.due_at is not None:
        due = datetime.fromtimestamp(result.due_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
        print(f"{who}: second factors are removed on {due}, unless they object")
        return 0
    told = "no second factors" if result.removed == 0 else f"{result.removed} second factors"
    told = "1 second factor" if result.removed == 1 else told
    print(f"{who}: {told} and any passkeys removed, signed out everywhere")
    if is_alone:
        print(OUT_OF_REACH, file=sys.stderr)
        return 1
    return 0

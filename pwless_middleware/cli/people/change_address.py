"""`people change-address`: for who reads the mailbox of their address no more.

pwless people change-address jo@example.com new@example.com --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    BY,
    add_arguments,
    find_passwordless,
    serve_nobody,
)
from pwless_middleware.errors import InvalidArgument, PersonNotFound, RateLimited

if TYPE_CHECKING:
    from pwless_middleware.features.email_login.python import EmailVerbs
    from pwless_middleware.passwordless import Passwordless


def add_to(actions: Any) -> None:
    """Add the action to those of `people`."""
    about = "give a person another address, once somebody who reads it confirms that"
    parser = actions.add_parser(
        "change-address",
        help=about,
        description=(
            f"{about.capitalize()}. The new address is sent a link, good for three days. After the "
            "change the person is signed out everywhere, and the old address is told and can undo "
            "it for three days. Second factors stay."
        ),
    )
    parser.add_argument("who", metavar="WHO", help="an address or an id")
    parser.add_argument("email", metavar="EMAIL", nargs="?", help="the new address")
    parser.add_argument("--withdraw", action="store_true", help="take back what waits")
    add_arguments(parser)
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Do it, and print what was done.

    Returns:
        0.

    Raises:
        UsageError: nobody has this id or address; the new one cannot be theirs; neither or both of
            it and `--withdraw` were given; or nobody could tell the new address.
        ConfigError: nothing in the app changes addresses.
        StoreError: the database or the store cannot be reached.
        AppFailed: the app's own code raised.
    """
    if (options.email is None) is not options.withdraw:
        raise UsageError("name the new address, or say --withdraw")
    return asyncio.run(_run(find_passwordless(options), options.who, options.email))


async def _run(passwordless: Passwordless, who: str, email: str | None) -> int:
    from pwless_middleware.features.email_login import EmailLogin
    from pwless_middleware.stores.memory import MemoryStore

    verbs = passwordless.verbs(EmailLogin)
    if email is not None and isinstance(passwordless.store, MemoryStore):
        raise UsageError(
            "the store is in the memory of the app's process, so that no mail would be sent: give "
            "the app a store that others can reach"
        )
    async with serve_nobody(passwordless):
        try:
            user_id = await passwordless.people.id_of(who)
            print(f"{who}: {await _change(verbs, user_id, email)}")
        except (PersonNotFound, RateLimited) as error:
            raise UsageError(error.public_message) from None
        except InvalidArgument as error:
            raise UsageError(f"EMAIL: {error.public_message}") from None
    return 0


async def _change(verbs: EmailVerbs, user_id: str, email: str | None) -> str:
    if email is None:
        is_withdrawn = await verbs.withdraw_address(user_id, by=BY)
        return "nothing changes" if is_withdrawn else "nothing was waiting"
    until = datetime.fromtimestamp(await verbs.request_address(user_id, email, by=BY), UTC)
    return f"an email is on its way to {email}, to be confirmed until {until:%Y-%m-%d %H:%M} UTC"

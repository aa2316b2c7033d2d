"""`operator`: make operators of the dashboard, list them, and remove them.

pwless operator add ops@acme.example --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    BY,
    add_arguments,
    find_passwordless,
    note_unheard,
    serve_nobody,
)
from pwless_middleware.cli.output import print_json, print_table, show_time
from pwless_middleware.core.operators.operator import ROLES
from pwless_middleware.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pwless_middleware.features.dashboard.python import OperatorRecord
    from pwless_middleware.passwordless import Passwordless


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "operator",
        help="make, list and remove operators of the dashboard",
        description="Say who may use the dashboard, besides those whom the code names.",
    )
    verbs = parser.add_subparsers(metavar="ACTION", required=True)

    def add(name: str, help: str) -> argparse.ArgumentParser:
        verb: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=help)
        add_arguments(verb)
        if name != "list":
            verb.add_argument("address", metavar="ADDRESS", help="theirs")
            verb.add_argument("--by", default=BY, metavar="NAME", help="who does it, for the list")
        verb.set_defaults(command=run, verb=name)
        return verb

    add("add", "make somebody an operator, or give one another role").add_argument(
        "--role",
        choices=ROLES,
        default="admin",
        help="view looks, support also acts on people, admin also decides; default: admin",
    )
    add("list", "print all operators").add_argument(
        "--json", action="store_true", help="print JSON"
    )
    add("remove", "let somebody be an operator no more")


def run(options: argparse.Namespace) -> int:
    """Do what the command says.

    Raises:
        UsageError, ConfigError: it cannot be done so.
        StoreError: database or store cannot be asked.
        AppFailed: the app's own code raised.
    """
    asyncio.run(_run(find_passwordless(options), options))
    return 0


async def _run(passwordless: Passwordless, options: argparse.Namespace) -> None:
    from pwless_middleware.features.dashboard import Dashboard

    operators = passwordless.verbs(Dashboard).operators
    async with serve_nobody(passwordless):
        if options.verb == "list":
            _show(await operators.list(), as_json=options.json)
            return
        try:
            if options.verb == "add":
                changed = await operators.add(options.address, role=options.role, by=options.by)
                told = f"{options.address} is an operator, with the role {options.role}"
            else:
                changed = await operators.remove(options.address, by=options.by)
                told = f"{options.address} is no operator"
        except InvalidArgument as error:
            raise UsageError(str(error.public_message)) from None
        print(f"{told}{'' if changed else ' already'}")
        if changed:
            note_unheard(passwordless)


def _show(operators: Sequence[OperatorRecord], *, as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    "email": one.email,
                    "role": one.role,
                    "user_id": one.user_id or None,
                    "added_at": one.added_at,
                    "by": one.by,
                }
                for one in operators
            ]
        )
        return
    head = ("ADDRESS", "ROLE", "SINCE", "BY")
    rows = [
        (one.email or one.user_id, one.role, show_time(one.added_at), one.by) for one in operators
    ]
    print_table([head, *rows])

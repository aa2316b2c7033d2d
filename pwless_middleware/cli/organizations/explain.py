"""`explain`: what would happen if somebody signed in now, each way, and why.

pwless explain jo@acme.example --organization acme --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import add_arguments, find_passwordless, serve_nobody
from pwless_middleware.cli.output import print_json, print_table

if TYPE_CHECKING:
    from pwless_middleware.core.organizations.explanation import Explanation
    from pwless_middleware.passwordless import Passwordless


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "explain",
        help="say what would happen if somebody signed in now, and why",
        description="Say what would happen if somebody signed in now, each way, and why. Nothing "
        "is sent, counted or changed.",
    )
    parser.add_argument("email", metavar="ADDRESS", help="whose login")
    parser.add_argument(
        "--organization", metavar="KEY", help="that is to be entered, by id or external id"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)
    add_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Explain it.

    Raises:
        UsageError: it is no address, or there is no such organization.
        ConfigError: there is no database.
        StoreError: database or store cannot be asked.
        AppFailed: the app's own code raised.
    """
    explanation = asyncio.run(_explain(find_passwordless(options), options))
    if options.json:
        print_json(explanation.to_json())
        return 0
    for fact in explanation.facts:
        print(fact)
    if explanation.demands:
        print("\nAsked:")
    for demand in explanation.demands:
        print(f"  {demand}")
    print("\nWays in:")
    rows = [
        (f"  {way.method}" + (f" {way.connection}" if way.connection else ""), way.text)
        for way in explanation.ways
    ]
    print_table(rows)
    return 0


async def _explain(passwordless: Passwordless, options: argparse.Namespace) -> Explanation:
    from pwless_middleware.core.addresses.address import parse_address

    address = parse_address(options.email)
    if address is None:
        raise UsageError(f"{options.email!r} is not an email address")
    floor = passwordless._kit.organizations()
    async with serve_nobody(passwordless):
        organization = None
        if options.organization is not None:
            organization = await floor.directory.find(options.organization)
            if organization is None:
                raise UsageError("there is no such organization")
        return await floor.explanations.explain(address, organization)

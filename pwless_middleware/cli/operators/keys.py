"""`keys`: make, list, rotate and revoke the API keys of backends.

A key is shown once, as it is made; only a digest of it is kept. It counts in every running process
at once, and one that is revoked counts in none after 100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.installation import (
    add_arguments,
    find_passwordless,
    note_unheard,
    serve_nobody,
)
from pwless_middleware.cli.output import print_json, print_table, show_time
from pwless_middleware.cli.times import read_seconds

if TYPE_CHECKING:
    from pwless_middleware.core.operators.api_key import ApiKey
    from pwless_middleware.flows.operators.api_keys import ApiKeys
    from pwless_middleware.passwordless import Passwordless


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    from pwless_middleware.core.operators.api_key import SCOPES

    parser = commands.add_parser(
        "keys",
        help="make, list, rotate and revoke API keys",
        description=__doc__.partition("\n\n")[2],
    )
    verbs = parser.add_subparsers(metavar="ACTION", required=True)

    def add(name: str, help: str) -> argparse.ArgumentParser:
        verb: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=help)
        add_arguments(verb)
        if name != "list":
            verb.add_argument("name", metavar="NAME", help="the backend's")
            verb.add_argument(
                "--by", default="command_line", metavar="NAME", help="who does it, for the list"
            )
        verb.set_defaults(command=run, verb=name)
        return verb

    create = add("create", "make a key, and print it once")
    create.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=list(SCOPES),
        help="what it may do; again for more",
    )
    create.add_argument("--expires-in", metavar="TIME", help="e.g. 90d; without it there is no end")
    add("list", "print all keys, those that are over too").add_argument(
        "--json", action="store_true", help="print JSON"
    )
    add("revoke", "end all keys of a name for ever")
    add("rotate", "make another key of a name, and print it once").add_argument(
        "--overlap", metavar="TIME", default="0", help="how long the old one goes on; default: 0"
    )


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
    keys = passwordless.api_keys
    async with serve_nobody(passwordless):
        if options.verb == "create":
            life = (
                None
                if options.expires_in is None
                else read_seconds("--expires-in", options.expires_in)
            )
            made = await keys.create(
                options.name, scopes=options.scope, expires_in=life, by=options.by
            )
            print(made.text)
        elif options.verb == "rotate":
            overlap = read_seconds("--overlap", options.overlap)
            made = await keys.rotate(options.name, overlap=overlap, by=options.by)
            print(made.text)
        elif options.verb == "revoke":
            await keys.revoke(options.name, by=options.by)
            note_unheard(passwordless)
        else:
            _show(await _all(keys), now=int(time.time()), as_json=options.json)


async def _all(keys: ApiKeys) -> list[ApiKey]:
    found: list[ApiKey] = []
    after = ("", 0)
    while page := await keys.list(after=after):
        found += page
        after = (page[-1].name, page[-1].generation)
    return found


def _show(found: list[ApiKey], *, now: int, as_json: bool) -> None:
    if as_json:
        print_json([_to_dict(key, now) for key in found])
        return
    head = ("NAME", "ID", "SCOPES", "STATE", "CREATED", "BY", "LAST USED", "EXPIRES")
    rows = [
        (
            *(key.name, key.id, ",".join(key.scopes), _state(key, now), show_time(key.created_at)),
            *(key.by, show_time(key.used_at), show_time(key.expires_at)),
        )
        for key in found
    ]
    print_table([head, *rows])


def _state(key: ApiKey, now: int) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.is_alive(now) else "expired"


def _to_dict(key: ApiKey, now: int) -> dict[str, object]:
    return {
        "name": key.name,
        "id": key.id,
        "scopes": key.scopes,
        "state": _state(key, now),
        "created_at": key.created_at,
        "by": key.by,
        "used_at": key.used_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }

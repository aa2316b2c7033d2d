"""`people`: find the people of the database, change them, export and erase them.

pwless people disable jo@example.com --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    BY,
    OUT_OF_REACH,
    add_arguments,
    find_passwordless,
    serve_nobody,
)
from pwless_middleware.cli.people import change_address, reset_factors, reset_passkeys
from pwless_middleware.errors import InvalidArgument, NotFound, PersonNotFound, RateLimited

if TYPE_CHECKING:
    from pwless_middleware.core.people.person import Person
    from pwless_middleware.flows.people.people import People

Command = Callable[["People", argparse.Namespace], Awaitable[None]]


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    people = commands.add_parser(
        "people",
        help="find, disable, export and erase people",
        description="Work on the people that the database keeps.",
    )
    actions = people.add_subparsers(metavar="ACTION", required=True)

    def add(name: str, action: Command, about: str, *, who: bool = True) -> Any:
        parser = actions.add_parser(name, help=about, description=f"{about.capitalize()}.")
        if who:
            parser.add_argument("who", metavar="WHO", help="an address or an id")
        parser.set_defaults(command=run, action=action, ends_sessions=name in _ENDING)
        return parser

    listed = add("list", _list, "list people by address", who=False)
    listed.add_argument("--prefix", default="", help="those whose addresses begin so")
    listed.add_argument("--after", default="", metavar="EMAIL", help="those behind this address")
    which = listed.add_mutually_exclusive_group()
    which.add_argument("--disabled", action="store_true", help="those alone who may not sign in")
    which.add_argument("--newest", action="store_true", help="the last who came first, of all")
    listed.add_argument("--limit", type=int, default=50, help="how many at most; default 50")
    created = add("create", _create, "make somebody who may sign in", who=False)
    created.add_argument("email", metavar="EMAIL")
    created.add_argument("--name", default="", help="what to call them")
    created.add_argument("--language", default="", metavar="CODE", help="theirs, e.g. de")
    created.add_argument(
        "--invite", action="store_true", help="tell them by an email where to sign in"
    )
    edited = add("edit", _edit, "set what a person is called, and their language")
    edited.add_argument("--name", help="what to call them; '' takes it away")
    edited.add_argument("--language", metavar="CODE", help="theirs, e.g. de; '' takes it away")
    ended = add("end-session", _end_session, "end one session of a person")
    ended.add_argument("session", metavar="SESSION", help="its id, as `sessions` prints it")
    sessions = add("sessions", _sessions, "list the sessions of a person, the last used first")
    deleted = add("delete", _delete, "erase a person: nothing is left that names them")
    deleted.add_argument("--yes", action="store_true", help="ask nothing")
    for parser in (
        *(listed, created, edited, sessions, ended, deleted),
        add("show", _show, "show a person"),
        add("disable", _disable, "sign a person out everywhere, and let them in no more"),
        add("enable", _enable, "let a person sign in again"),
        add("export", _export, "print everything that is kept about a person, as JSON"),
    ):
        add_arguments(parser)
    reset_passkeys.add_to(actions)
    reset_factors.add_to(actions)
    change_address.add_to(actions)
    for parser in (listed, created, edited, sessions, actions.choices["show"]):
        parser.add_argument("--json", action="store_true", help="one JSON object a line")


_ENDING: Final = ("disable", "delete", "sessions", "end-session")


def run(options: argparse.Namespace) -> int:
    """Do it, and print what there is to say.

    Returns:
        0, or 1 if sessions of the person may go on where they cannot be reached.

    Raises:
        UsageError: nobody has this id or address, or something was given that is none.
        ConfigError: there is no database, or the people are in the host's own table.
        StoreError: the database or the store cannot be reached.
        AppFailed: the app's own code raised.
    """
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    from pwless_middleware.stores.memory import MemoryStore

    passwordless = find_passwordless(options)
    people = passwordless.people
    is_alone = isinstance(passwordless.store, MemoryStore)
    if is_alone and getattr(options, "invite", False):
        raise UsageError(
            "the store is in the memory of the app's process, so that no email would be sent: "
            "leave out --invite, or give the app a store that others can reach"
        )
    async with serve_nobody(passwordless):
        try:
            await options.action(people, options)
        except NotFound as error:
            raise UsageError(error.public_message) from None
        except InvalidArgument as error:
            fields = ", ".join(violation.field for violation in error.violations)
            raise UsageError(f"{fields}: {error.public_message}") from None
        except RateLimited as error:
            raise UsageError(error.public_message) from None
    if options.ends_sessions and is_alone:
        print(OUT_OF_REACH, file=sys.stderr)
        return 1
    return 0


async def _list(people: People, options: argparse.Namespace) -> None:
    if options.newest:
        if options.prefix or options.after:
            raise UsageError("by time all are listed: leave out --prefix and --after")
        found = await people.newest(limit=options.limit)
    else:
        given = {"prefix": options.prefix, "after": options.after, "limit": options.limit}
        found = await people.list(**given, disabled=options.disabled)
    for person in found:
        _print(person, options)


async def _show(people: People, options: argparse.Namespace) -> None:
    person = await people.find(options.who)
    if person is None:
        raise PersonNotFound
    _print(person, options)


async def _create(people: People, options: argparse.Namespace) -> None:
    given = {"name": options.name, "language": options.language, "by": BY}
    make = people.invite if options.invite else people.create
    _print(await make(options.email, **given), options)


async def _edit(people: People, options: argparse.Namespace) -> None:
    if options.name is options.language is None:
        raise UsageError("say what to set: --name or --language")
    given = {"name": options.name, "language": options.language, "by": BY}
    _print(await people.set_profile(options.who, **given), options)


async def _sessions(people: People, options: argparse.Namespace) -> None:
    from pwless_middleware.web.responses.session_json import public_session

    for session in await people.sessions(options.who):
        if options.json:
            told = {**public_session(session), "organization": session.organization}
            print(json.dumps(told, ensure_ascii=False))
            continue
        notes = (
            session.device or "a program",
            ", ".join(session.methods),
            f"began {_date(session.created_at)}",
            f"seen {_date(session.seen_at)}",
        )
        print(f"{session.id}  {'; '.join(notes)}")


async def _end_session(people: People, options: argparse.Namespace) -> None:
    await people.end_session(options.who, options.session, by=BY)
    print("ended")


async def _disable(people: People, options: argparse.Namespace) -> None:
    person = await people.disable(options.who, by=BY)
    print(f"{person.email} is disabled, and signed out everywhere")


async def _enable(people: People, options: argparse.Namespace) -> None:
    person = await people.enable(options.who, by=BY)
    print(f"{person.email} can sign in again")


async def _export(people: People, options: argparse.Namespace) -> None:
    print(json.dumps(await people.export(options.who, by=BY), indent=2, ensure_ascii=False))


async def _delete(people: People, options: argparse.Namespace) -> None:
    if not options.yes:
        _confirm(f"Erase {options.who}, and everything that is kept about them? [y/N] ")
    await people.delete(options.who, by=BY)
    print("erased")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask: add --yes to erase")
    if input(question).strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was erased")


def _print(person: Person, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(person.to_dict(), ensure_ascii=False))
        return
    notes = [
        f"id {person.id}",
        *([f"name {person.name!r}"] if person.name else []),
        *([f"language {person.language}"] if person.language else []),
        f"created {_date(person.created_at)}",
        f"seen {_date(person.seen_at)}" if person.seen_at is not None else "never seen",
        *([f"disabled {_date(person.disabled_at)}"] if person.disabled_at is not None else []),
    ]
    print(f"{person.email}  {', '.join(notes)}")


def _date(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")

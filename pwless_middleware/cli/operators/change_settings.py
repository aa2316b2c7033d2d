"""`settings`: read and change what holds while the app runs.

What is changed here holds in every running process within 100 ms; an option that the app's code
gives is fixed there and shown as such.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    add_arguments,
    find_passwordless,
    note_unheard,
    serve_nobody,
)
from pwless_middleware.cli.output import print_json, print_table, show_time

if TYPE_CHECKING:
    from pwless_middleware.core.operators.setting import SettingKind
    from pwless_middleware.core.operators.settings import SettingChange
    from pwless_middleware.flows.settings.settings import CurrentSetting, Settings, SettingsChange
    from pwless_middleware.passwordless import Passwordless


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "settings",
        help="read and change what holds while the app runs",
        description=__doc__.partition("\n\n")[2],
    )
    verbs = parser.add_subparsers(metavar="ACTION", required=True)

    def add(name: str, help: str, *, changes: bool = False) -> argparse.ArgumentParser:
        verb: argparse.ArgumentParser = verbs.add_parser(name, help=help, description=help)
        add_arguments(verb)
        if changes:
            verb.add_argument(
                "--by", default="command_line", metavar="NAME", help="who changes it, for history"
            )
            verb.add_argument(
                "--if-version",
                type=int,
                metavar="VERSION",
                help="only if none of them has changed since this version, as `history` has it",
            )
            verb.add_argument(
                "--dry-run", action="store_true", help="print what would change, change nothing"
            )
        else:
            verb.add_argument("--json", action="store_true", help="print JSON")
        verb.set_defaults(command=run, verb=name)
        return verb

    add("list", "print every setting, its value, and where that comes from")
    add("get", "print one setting").add_argument("name", metavar="NAME")
    add("set", "set some, all of them or none", changes=True).add_argument(
        "pairs",
        metavar="NAME=VALUE",
        nargs="+",
        help="a value is JSON; a list may be words with commas",
    )
    add("reset", "take back what was set", changes=True).add_argument(
        "names", metavar="NAME", nargs="+"
    )
    add("revert", "let an earlier version hold again", changes=True).add_argument(
        "version", metavar="VERSION", type=int, help="as history has it; 0 takes back everything"
    )
    history = add("history", "print changes, the newest first")
    history.add_argument("--limit", type=int, default=20, metavar="N", help="default: 20")
    history.add_argument("--before", type=int, default=0, metavar="VERSION", help="older than this")


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
    async with serve_nobody(passwordless):
        settings = passwordless.settings
        if options.verb == "list":
            _show(await settings.list(), as_json=options.json)
        elif options.verb == "get":
            one = await settings.get(options.name)
            if options.json:
                print_json(_to_dict(one))
            else:
                print(f"{one.name} = {_text(one.value)}  ({one.source})")
                print(f"{one.meaning} {one.range.capitalize()}; default {_text(one.default)}.")
        elif options.verb == "history":
            found = await settings.history(before=options.before, limit=options.limit)
            _show_history(found, as_json=options.json)
        else:
            changes = await _change(settings, options)
            if options.dry_run:
                _show_changes(changes)
            else:
                note_unheard(passwordless)


async def _change(settings: Settings, options: argparse.Namespace) -> Sequence[SettingChange]:
    by, seen, dry_run = options.by, options.if_version, options.dry_run
    if options.verb == "set":
        values = await _read_pairs(settings, options.pairs)
        return await settings.set(values, by=by, seen=seen, dry_run=dry_run)
    if options.verb == "reset":
        return await settings.reset(options.names, by=by, seen=seen, dry_run=dry_run)
    return await settings.revert(options.version, by=by, seen=seen, dry_run=dry_run)


async def _read_pairs(settings: Settings, pairs: Sequence[str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator:
            raise UsageError(f"{pair!r}: write NAME=VALUE, e.g. email_login.lifetime=120")
        if name in values:
            raise UsageError(f"{name} is given twice")
        setting = await settings.get(name)
        values[name] = _read(text, kind=setting.kind)
    return values


def _read(text: str, *, kind: SettingKind) -> object:
    """Read a value: JSON, and whatever is none is a text, or a list of texts with commas.

    A text is one also where it could be a number, such as a brand's name.
    """
    try:
        value: object = json.loads(text)
    except ValueError:
        words = [word.strip() for word in text.split(",")]
        return [word for word in words if word] if kind == "texts" else text
    return text if kind == "text" and not isinstance(value, str | None) else value


def _show(found: Sequence[CurrentSetting], *, as_json: bool) -> None:
    if as_json:
        print_json([_to_dict(one) for one in found])
    else:
        print_table([(one.name, _text(one.value), one.source) for one in found])


def _show_history(found: Sequence[SettingsChange], *, as_json: bool) -> None:
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    for change in found:
        print(f"{change.version}  {show_time(change.at)}  {change.by}")
        _show_changes(change.changes)


def _show_changes(changes: Sequence[SettingChange]) -> None:
    for one in changes:
        print(f"    {one.name}: {_text(one.old)} → {_text(one.new)}")


def _to_dict(one: CurrentSetting) -> dict[str, object]:
    fields = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    return {**fields, "value": "a function" if callable(one.value) else one.value}


def _text(value: object) -> str:
    if callable(value):
        return "a function"
    return "-" if value is None else json.dumps(value, ensure_ascii=False)

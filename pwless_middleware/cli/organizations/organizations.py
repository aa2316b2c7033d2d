"""`organizations`: find and change organizations, their policies, members and domains.

pwless organizations policy acme mfa=required trusted_days=0 --app main:app
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import (
    BY,
    add_arguments,
    find_passwordless,
    note_unheard,
    serve_nobody,
)
from pwless_middleware.cli.organizations import organization_domains, organization_people
from pwless_middleware.cli.output import print_json, print_table, show_time
from pwless_middleware.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from pwless_middleware.core.organizations.organization import Organization
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

_TEXTS: Final = ("mfa", "sso", "join")
"""Fields of a policy that are one word; all others are a number or a list."""


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "organizations",
        help="find and change organizations, their policies, members and domains",
        description="Work on the organizations that the database keeps, by id or external id.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    def add(name: str, action: Any, about: str, *, which: bool = True) -> Any:
        made = actions.add_parser(name, help=about, description=f"{about.capitalize()}.")
        if which:
            made.add_argument("key", metavar="ORGANIZATION", help="an id or an external id")
        made.set_defaults(command=run, action=action, is_told=name not in _READING)
        add_arguments(made)
        return made

    listed = add("list", _list, "list organizations by name", which=False)
    listed.add_argument("--search", default="", help="those whose names contain this")
    listed.add_argument("--after", default="", metavar="ID", help="those behind this one")
    listed.add_argument("--limit", type=int, default=50, help="how many at most; default 50")
    shown = add("show", _show, "show an organization")
    created = add("create", _create, "make an organization", which=False)
    created.add_argument("name", metavar="NAME", help="what people read")
    edited = add("edit", _edit, "change what an organization is called, and how it looks")
    edited.add_argument("--name", help="what people read")
    for made in (created, edited):
        made.add_argument("--external-id", metavar="KEY", help="your own key; '' takes it away")
        made.add_argument("--logo", metavar="URL", help="its picture; '' takes it away")
        made.add_argument("--color", metavar="#RRGGBB", help="of buttons; '' takes it away")
        made.add_argument("--language", metavar="CODE", help="of its pages and mails, e.g. de")
    policy = add("policy", _policy, "show a policy, or change the fields that are named")
    policy.add_argument(
        "changes",
        nargs="*",
        metavar="FIELD=VALUE",
        help="e.g. mfa=required methods=email,passkey; FIELD=null takes it back, FIELD=[] is none",
    )
    add("apply-now", _apply_now, "hold the sessions that run to the policy as it is now")
    deleted = add("delete", _delete, "delete an organization and all that is its own")
    deleted.add_argument("--yes", action="store_true", help="ask nothing")
    parts = (organization_people.add_to(add), organization_domains.add_to(add))
    for made in (listed, shown, created, edited, policy, *(one for some in parts for one in some)):
        made.add_argument("--json", action="store_true", help="print JSON")


_READING: Final = ("list", "show", "members", "invitations", "domains", "connections")


def run(options: argparse.Namespace) -> int:
    """Do it, and print what there is to say.

    Raises:
        UsageError: there is no such organization, or something was given that is none.
        ConfigError: there is no database.
        StoreError: the database or the store cannot be reached.
        AppFailed: the app's own code raised.
    """
    passwordless = find_passwordless(options)
    asyncio.run(_run(passwordless, options))
    if options.is_told:
        note_unheard(passwordless)
    return 0


async def _run(passwordless: Any, options: argparse.Namespace) -> None:
    floor: OrganizationFloor = passwordless._kit.organizations()
    options.users = passwordless._kit.users
    async with serve_nobody(passwordless):
        try:
            await options.action(floor, options)
        except NotFound as error:
            raise UsageError(error.public_message) from None
        except InvalidArgument as error:
            faults = "; ".join(f"{one.field}: {one.description}" for one in error.violations)
            raise UsageError(faults) from None


Command = Callable[["OrganizationFloor", argparse.Namespace], Awaitable[None]]


async def _list(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    found = await floor.organizations.list(
        search=options.search, after=options.after, limit=options.limit
    )
    if options.json:
        print_json([to_dict(one) for one in found])
        return
    head = ("NAME", "ID", "EXTERNAL ID", "CREATED")
    rows = [(one.name, one.id, one.external_id or "-", show_time(one.created_at)) for one in found]
    print_table([head, *rows])


async def _show(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    domains = await floor.domains.list(organization.id)
    connections = await floor.connections.list(organization.id)
    members = await floor.members.count(organization.id)
    if options.json:
        told: dict[str, object] = {
            "domains": {one.name: one.verified_at is not None for one in domains},
            "connections": {one.id: one.is_enabled for one in connections},
            "members": members,
        }
        print_json(to_dict(organization) | told)
        return
    from pwless_middleware.flows.organizations.policy_sentences import describe_demands

    print(f"{organization.name}  {organization.id}")
    if organization.external_id is not None:
        print(f"  external id {organization.external_id}")
    print(f"  created {show_time(organization.created_at)}, {members} members")
    for domain in domains:
        print(f"  domain {domain.name}" + ("" if domain.verified_at else ", not verified"))
    for one in connections:
        state = "on" if one.is_enabled else "off"
        print(f"  {one.kind} connection {one.name}  {one.id}, {state}")
    for sentence in describe_demands(organization.policy, [organization]):
        print(f"  {sentence}")


async def _create(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    made = await floor.organizations.create(
        options.name,
        external_id=options.external_id,
        logo=options.logo,
        color=options.color,
        language=options.language or "",
        by=BY,
    )
    _print(made, options)


async def _edit(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    names = ("name", "external_id", "logo", "color", "language")
    given = {name: getattr(options, name) for name in names}
    if all(value is None for value in given.values()):
        raise UsageError("say what to change: --name, --external-id, --logo, --color, --language")
    _print(await floor.organizations.change(options.key, **given, by=BY), options)


async def _policy(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    from pwless_middleware.core.organizations.policy_json import change_policy, policy_to_json

    there = await floor.organizations.require(options.key)
    policy = there.policy
    if options.changes:
        policy = change_policy(policy, _read_changes(options.changes), field="")
        await floor.organizations.set_policy(there.id, policy, seen=there.version, by=BY)
    told = policy_to_json(policy)
    if options.json:
        print_json(told)
        return
    print_table([(name, _text(value)) for name, value in told.items()])


def _read_changes(pairs: list[str]) -> Mapping[str, object]:
    """Read `FIELD=VALUE`: the value is JSON, else a word, or words with commas.

    Raises:
        UsageError: one is none, or stands there twice.
    """
    found: dict[str, object] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator:
            raise UsageError(f"{pair!r}: write FIELD=VALUE, e.g. mfa=required")
        if name in found:
            raise UsageError(f"{name} is given twice")
        try:
            found[name] = json.loads(text)
        except ValueError:
            words = [word.strip() for word in text.split(",") if word.strip()]
            found[name] = text if name in _TEXTS else words
    return found


def _text(value: object) -> str:
    if value is None:
        return "-"
    return ", ".join(value) or "none" if isinstance(value, list) else str(value)


async def _apply_now(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.apply_now(options.key, by=BY)
    print(f"the sessions of {organization.name} are held to its policy as it is now")


async def _delete(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    if not options.yes:
        _confirm(f"Delete {organization.name}, its members, domains and connections? [y/N] ")
    await floor.organizations.delete(organization.id, by=BY)
    print("deleted")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask: add --yes to delete")
    if input(question).strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was deleted")


def _print(organization: Organization, options: argparse.Namespace) -> None:
    if options.json:
        print_json(to_dict(organization))
    else:
        print(f"{organization.name}  {organization.id}")


def to_dict(organization: Organization) -> dict[str, object]:
    """Return an organization ready for JSON."""
    from pwless_middleware.core.organizations.policy_json import policy_to_json

    return {
        "id": organization.id,
        "name": organization.name,
        "external_id": organization.external_id,
        "logo": organization.logo,
        "color": organization.color,
        "language": organization.language,
        "policy": policy_to_json(organization.policy),
        "version": organization.version,
        "created_at": organization.created_at,
        "enforced_at": organization.enforced_at,
    }

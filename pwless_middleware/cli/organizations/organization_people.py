"""The members of an organization, and who is invited to it, on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import BY
from pwless_middleware.cli.output import print_json, print_table, show_time
from pwless_middleware.cli.times import read_seconds
from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.errors import PersonDisabled

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor
    from pwless_middleware.flows.people.users import Users


def add_to(add: Callable[..., Any]) -> list[Any]:
    """Add the actions, and return the parsers of those that print JSON.

    Args:
        add: adds an action, by name, what it does, and what is said of it.
    """
    listed = add("members", _members, "list the members of an organization")
    listed.add_argument("--after", default="", metavar="USER_ID", help="those behind this one")
    listed.add_argument("--limit", type=int, default=50, help="how many at most; default 50")
    added = add("add-member", _add_member, "make a person a member")
    role = add("set-role", _set_role, "give a member another role")
    others = [
        add("deactivate-member", _deactivate, "let a member in no more, and sign them out"),
        add("activate-member", _activate, "let a member in again"),
        add("remove-member", _remove, "make a person no member any more, and sign them out"),
    ]
    for made in (added, role, *others):
        made.add_argument("who", metavar="WHO", help="an address or a user's id")
    added.add_argument("--role", help="for the app to read")
    role.add_argument("role", metavar="ROLE", help="for the app to read; '' is none")
    invited = add("invitations", _invitations, "list who is invited")
    invite = add("invite", _invite, "invite an address; a mail tells of it")
    invite.add_argument("email", metavar="EMAIL")
    invite.add_argument("--role", default="", help="that they will have")
    invite.add_argument("--expires-in", metavar="TIME", default="7d", help="default: 7d")
    revoke = add("revoke-invitation", _revoke, "take an invitation back")
    revoke.add_argument("id", metavar="INVITATION", help="as `invitations` prints it")
    return [listed, invited]


async def _id_of(options: argparse.Namespace) -> str:
    """Return the user's id of who is named.

    Raises:
        UsageError: nobody has this address.
    """
    who = str(options.who)
    if "@" not in who:
        return who
    users: Users = options.users
    address = parse_address(who)
    try:
        user = await users.find(address) if address is not None else None
        id = user.id if user is not None else None
    except PersonDisabled:
        id = await users.id_of(address) if address is not None else None
    if id is None:
        raise UsageError(f"nobody has the address {who} here; who has no account yet is invited")
    return id


async def _members(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    found = await floor.members.list(organization.id, after=options.after, limit=options.limit)
    if options.json:
        told = [
            {
                "user_id": one.user_id,
                "role": one.role,
                "origin": one.origin,
                "external_id": one.external_id,
                "is_active": one.is_active,
                "created_at": one.created_at,
            }
            for one in found
        ]
        print_json(told)
        return
    head = ("USER ID", "ROLE", "CAME BY", "STATE", "SINCE")
    rows = [
        (
            *(one.user_id, one.role or "-", one.origin),
            *("active" if one.is_active else "deactivated", show_time(one.created_at)),
        )
        for one in found
    ]
    print_table([head, *rows])


async def _add_member(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    user_id = await _id_of(options)
    await floor.members.put(organization.id, user_id, role=options.role, origin="operator", by=BY)
    print(f"{options.who} is a member of {organization.name}")


async def _set_role(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    user_id = await _id_of(options)
    await floor.members.set_role(organization.id, user_id, options.role, by=BY)
    print(f"{options.who} is {options.role or 'without a role'} in {organization.name}")


async def _deactivate(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    await floor.members.deactivate(organization.id, await _id_of(options), by=BY)
    print(f"{options.who} is deactivated in {organization.name}, and signed out of it")


async def _activate(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    await floor.members.activate(organization.id, await _id_of(options), by=BY)
    print(f"{options.who} can enter {organization.name} again")


async def _remove(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    await floor.members.remove(organization.id, await _id_of(options), by=BY)
    print(f"{options.who} is no member of {organization.name} any more, and signed out of it")


async def _invitations(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    found = await floor.invitations.list(organization.id)
    if options.json:
        told = [
            {
                "id": one.id,
                "email": one.email,
                "role": one.role,
                "by": one.by,
                "created_at": one.created_at,
                "expires_at": one.expires_at,
                "accepted_at": one.accepted_at,
            }
            for one in found
        ]
        print_json(told)
        return
    head = ("EMAIL", "ID", "ROLE", "BY", "EXPIRES", "ACCEPTED")
    rows = [
        (
            *(one.email, one.id, one.role or "-", one.by),
            *(show_time(one.expires_at), show_time(one.accepted_at)),
        )
        for one in found
    ]
    print_table([head, *rows])


async def _invite(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    life = read_seconds("--expires-in", options.expires_in)
    made = await floor.invitations.create(
        organization.id, options.email, role=options.role, expires_in=life, by=BY
    )
    print(f"{made.email} is invited to {organization.name}  {made.id}")


async def _revoke(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    await floor.invitations.revoke(organization.id, options.id, by=BY)
    print("taken back")

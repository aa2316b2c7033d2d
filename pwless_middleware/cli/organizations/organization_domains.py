"""The domains and connections of an organization, on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.installation import BY
from pwless_middleware.cli.output import print_json, print_table, show_time

if TYPE_CHECKING:
    from pwless_middleware.core.organizations.organization import Domain
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


def add_to(add: Callable[..., Any]) -> list[Any]:
    """Add the actions, and return the parsers of those that print JSON.

    Args:
        add: adds an action, by name, what it does, and what is said of it.
    """
    listed = add("domains", _domains, "list the domains of an organization")
    domains = [
        add("add-domain", _add, "note a domain, and say which DNS record proves it"),
        add("verify-domain", _verify, "look for the DNS record of a domain"),
        add("remove-domain", _remove, "take a domain away; its people sign in as anybody does"),
    ]
    for made in domains:
        made.add_argument("domain", metavar="DOMAIN", help="e.g. acme.example")
    connections = add("connections", _connections, "list the connections of an organization")
    return [listed, connections]


async def _domains(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    found = await floor.domains.list(organization.id)
    if options.json:
        told = [
            {
                "name": one.name,
                "record": _record(one),
                "created_at": one.created_at,
                "verified_at": one.verified_at,
                "checked_at": one.checked_at,
                "failing_since": one.failing_since,
            }
            for one in found
        ]
        print_json(told)
        return
    head = ("DOMAIN", "VERIFIED", "LOOKED AT", "MISSING SINCE")
    rows = [
        (
            one.name,
            *(show_time(one.verified_at), show_time(one.checked_at), show_time(one.failing_since)),
        )
        for one in found
    ]
    print_table([head, *rows])


async def _add(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    domain = await floor.domains.claim(organization.id, options.domain, by=BY)
    print("Add this record to its DNS, then run verify-domain:")
    print(f"    {_record(domain)}")


async def _verify(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    looked = await floor.verification.verify(organization.id, options.domain, by=BY)
    if not looked.is_good:
        raise UsageError(f"{looked.domain.name}: {looked.sentence} {_record(looked.domain)}")
    print(f"{looked.domain.name} is a verified domain of {organization.name}")


async def _remove(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    await floor.domains.remove(organization.id, options.domain, by=BY)
    print("removed")


async def _connections(floor: OrganizationFloor, options: argparse.Namespace) -> None:
    organization = await floor.organizations.require(options.key)
    found = await floor.connections.list(organization.id)
    if options.json:
        told = [
            {
                "id": one.id,
                "kind": one.kind,
                "name": one.name,
                "is_enabled": one.is_enabled,
                "tested_at": one.tested_at,
                "created_at": one.created_at,
            }
            for one in found
        ]
        print_json(told)
        return
    head = ("NAME", "ID", "KIND", "STATE", "WORKED")
    rows = [
        (one.name, one.id, one.kind, "on" if one.is_enabled else "off", show_time(one.tested_at))
        for one in found
    ]
    print_table([head, *rows])


def _record(domain: Domain) -> str:
    from pwless_middleware.flows.organizations.domain_records import DomainRecord

    record = DomainRecord.of(domain.name, domain.token)
    return f'{record.name}. TXT "{record.value}"'

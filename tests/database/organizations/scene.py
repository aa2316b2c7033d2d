"""What the contracts of organizations and of what is theirs begin with."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.events.event import Event
from pwless_middleware.core.events.event_id import format_event_id
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.core.people.person import Person
from pwless_middleware.database.repositories import Repositories

NOW: Final = 1_767_225_600
ACME: Final = Organization(
    id="org_acme",
    name="Äcme",
    external_id="customer 7",
    policy=Policy(
        methods=frozenset({"email", "passkey"}),
        mfa="required",
        second_factors=frozenset(),
        idle=600,
        break_glass=frozenset({Address("jo@acme.example")}),
    ),
    logo="/acme.svg",
    color="#123456",
    language="de",
    created_at=NOW,
    enforced_at=NOW + 1,
)
BETA: Final = Organization(id="org_beta", name="beta", created_at=NOW)


def audit(number: int = 1) -> Event:
    """Return the event of a change."""
    return Event(at=NOW, kind="person.changed", id=format_event_id(NOW, number), by="operator:jo")


async def add_organizations(repositories: Repositories) -> None:
    """Keep Acme and Beta."""
    for one in (ACME, BETA):
        assert await repositories.organizations.put(one, seen=None) == "done"


async def disable(repositories: Repositories, user_id: str) -> None:
    """Have nobody be able to sign in as somebody."""
    await repositories.people.add(Person(user_id, f"{user_id}@acme.example"))
    await repositories.people.disable(user_id, at=NOW)

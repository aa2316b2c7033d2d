"""Who somebody is at their company's login, on the dashboard's page of them."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.connection import (
    SOCIAL_METHOD,
    SSO_METHOD,
    Connection,
    Identity,
)
from pwless_middleware.errors import NotFound
from pwless_middleware.features.sso.dashboard.connection_gate import connection_path
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.times import format_ago, format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.gates.person_gate import page_of, require_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import PERSON_PATH, PersonPart, ShownPerson
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.routing.routes import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRow:
    """An identity as it is listed.

    Attributes:
        connection: its id, or the name of a provider that is configured in code.
        subject: as the provider has it.
        name: what the connection is called.
        path: of the connection's page, below the prefix; empty where there is none.
        email: the address that the provider said last; empty for none.
        seen_at, seen_iso: when somebody signed in by it last.
    """

    connection: str
    subject: str
    name: str
    path: str
    email: str
    seen_at: str
    seen_iso: str

    @classmethod
    def of(cls, identity: Identity, connection: Connection | None, now: int) -> IdentityRow:
        """Return an identity as it is listed, with the connection that it is at."""
        return cls(
            connection=identity.connection,
            subject=identity.subject,
            name=identity.connection if connection is None else connection.name,
            path="" if connection is None else connection_path(connection),
            email=identity.email,
            seen_at=format_ago(identity.seen_at, now),
            seen_iso=format_iso(identity.seen_at),
        )


class IdentityPart:
    """Show identities, and forget them.

    Args:
        kit: the feature's.
        floor: keeps identities.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.part = PersonPart(
            title=Text("Company logins"),
            template="dashboard/organizations/identities.html",
            show=self.show,
            done={"identity": Text("That identity is forgotten here.")},
            order=60,
        )
        self.routes = (Route(f"{PERSON_PATH}/identities/remove", {"POST": self.remove}),)

    async def show(self, request: Request, person: ShownPerson) -> Mapping[str, object]:
        """Return the identities."""
        now, rows = self._kit.clock(), []
        for one in await self._floor.identities.of_user(person.id):
            connection = await self._floor.connections.find(one.connection)
            rows.append(IdentityRow.of(one, connection, now))
        return {"rows": rows}

    async def remove(self, request: Request) -> Response:
        """Forget one: whoever comes by it next is linked anew, and what it has proven ends."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=page_of(request)
        )
        person = await require_person(self._kit, request, operator)
        form = await read_form(request)
        found = await self._floor.identities.find(
            form.get("connection", ""), form.get("subject", "")
        )
        if found is None or found.user_id != person.id:
            raise NotFound(_NONE)
        connection = await self._floor.connections.find(found.connection)
        organization = connection.organization if connection is not None else None
        method = SSO_METHOD if connection is not None else SOCIAL_METHOD
        # Before, so that nothing is forgotten while the store cannot be written; and after.
        await self._kit.sessions.withdraw(person.id, method)
        await self._floor.identities.remove(found, organization=organization, by=operator.by)
        await self._kit.sessions.withdraw(person.id, method)
        return self._kit.pages.redirect(request, f"{person.path}?done=identity")


_NONE = Text("This person has no such identity any more.")

"""Erase everything about a person, once somebody has typed who it is."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.people.people import People
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.gates.person_gate import page_of, require_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import PEOPLE_PATH, PERSON_PATH, ShownPerson
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route


class DeletionPage:
    """Say what goes, and erase it.

    Args:
        kit: everything below.
        people: erases people.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._people = people
        self.routes = (Route(f"{PERSON_PATH}/delete", {"GET": self.show, "POST": self.delete}),)

    async def show(self, request: Request) -> Response:
        """Say what goes."""
        operator = await self._kit.operators.require(request, "admin")
        person = await require_person(self._kit, request, operator)
        return await self._page(request, operator, person)

    async def delete(self, request: Request) -> Response:
        """Erase it, where the address that was typed is the person's."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=f"{page_of(request)}/delete"
        )
        person = await require_person(self._kit, request, operator)
        form = await read_form(request)
        if not _names(form.get("typed", ""), person):
            error = InvalidArgument.of("typed", _NOT_THEM, "match")
            return await self._page(request, operator, person, error)
        await self._people.delete(person.id, by=operator.by)
        return self._kit.pages.redirect(request, f"{PEOPLE_PATH}?done=deleted")

    async def _page(
        self,
        request: Request,
        operator: Operator,
        person: ShownPerson,
        error: InvalidArgument | None = None,
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/people/delete.html",
            path=PEOPLE_PATH,
            status=error.status if error is not None else 200,
            person=person,
            is_own=self._kit.users.keeps_people,
            sessions=len(await self._kit.sessions.list(person.id)),
            error=public_message(error) if error is not None else "",
        )


def _names(typed: str, person: ShownPerson) -> bool:
    """Whether what was typed is the person's address; the id of who has none."""
    address = parse_address(typed)
    if person.email:
        return address is not None and address == parse_address(person.email)
    return typed.strip() == person.id


_NOT_THEM = Text("That is not this person. Nothing was erased.")

"""Let nobody sign in as a person, once that is confirmed; and let them in again."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.flows.people.people import People
from pwless_middleware.web.gates.person_gate import page_of, require_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import PEOPLE_PATH, PERSON_PATH
from pwless_middleware.web.routing.routes import Route


class DisablingPage:
    """Say what disabling does, and do it.

    Args:
        kit: everything below.
        people: changes people.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._people = people
        self.routes = (
            Route(f"{PERSON_PATH}/disable", {"GET": self.show, "POST": self.disable}),
            Route(f"{PERSON_PATH}/enable", {"POST": self.enable}),
        )

    async def show(self, request: Request) -> Response:
        """Say what it does."""
        operator = await self._kit.operators.require(request, "support")
        person = await require_person(self._kit, request, operator)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/people/disable.html",
            path=PEOPLE_PATH,
            person=person,
            sessions=len(await self._kit.sessions.list(person.id)),
        )

    async def disable(self, request: Request) -> Response:
        """Sign the person out everywhere, and let them in no more."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=f"{page_of(request)}/disable"
        )
        person = await require_person(self._kit, request, operator)
        await self._people.disable(person.id, by=operator.by)
        return self._kit.pages.redirect(request, f"{person.path}?done=disabled")

    async def enable(self, request: Request) -> Response:
        """Let the person sign in again."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=page_of(request)
        )
        person = await require_person(self._kit, request, operator)
        await self._people.enable(person.id, by=operator.by)
        return self._kit.pages.redirect(request, f"{person.path}?done=enabled")

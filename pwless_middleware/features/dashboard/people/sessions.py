"""End a person's sessions: one, or all of them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.flows.people.people import People
from pwless_middleware.web.gates.person_gate import page_of, require_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import PERSON_PATH
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.routing.routes import Route


class SessionActions:
    """Do what the forms beside the sessions ask for.

    Args:
        kit: everything below.
        people: ends sessions.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._people = people
        self.routes = (
            Route(f"{PERSON_PATH}/sessions/end", {"POST": self.end_one}),
            Route(f"{PERSON_PATH}/sign-out", {"POST": self.sign_out}),
        )

    async def end_one(self, request: Request) -> Response:
        """End one session."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=page_of(request)
        )
        person = await require_person(self._kit, request, operator)
        form = await read_form(request)
        await self._people.end_session_of(person.id, form.get("session", ""), by=operator.by)
        return self._kit.pages.redirect(request, f"{person.path}?done=session")

    async def sign_out(self, request: Request) -> Response:
        """End all of them, and every login that waits for a step."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=page_of(request)
        )
        person = await require_person(self._kit, request, operator)
        await self._people.sign_out_id(person.id, by=operator.by)
        return self._kit.pages.redirect(request, f"{person.path}?done=signed-out")

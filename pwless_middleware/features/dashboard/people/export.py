"""Take along everything that is kept about a person, as a file."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.flows.people.people import People
from pwless_middleware.web.gates.person_gate import page_of, require_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import PERSON_PATH
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.routes import Route


class ExportRoute:
    """Send the file. It is a form, since a file that leaves is an event, and no GET makes one.

    Args:
        kit: everything below.
        people: gathers what is kept.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._people = people
        self.routes = (Route(f"{PERSON_PATH}/export", {"POST": self.download}),)

    async def download(self, request: Request) -> Response:
        """Send the file."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=page_of(request)
        )
        person = await require_person(self._kit, request, operator)
        response = json_response(await self._people.export(person.id, by=operator.by))
        response.headers["content-disposition"] = 'attachment; filename="person.json"'
        return response

"""The download of everything that is kept about a person."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.features.account.profile_page import EXPORT_PATH
from pwless_middleware.flows.people.people import People
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.routes import Route

FRESH_WITHIN = 300
"""Seconds since the last proof of who it is (security rule 26)."""


class ExportPage:
    """Give who is signed in a file with all that is kept about them.

    Args:
        kit: everything below.
        people: gathers it.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._people = people
        self.routes = (Route(EXPORT_PATH, {"GET": self.download}),)

    async def download(self, request: Request) -> Response:
        """Send the file; who has not proven lately that it is them is asked first."""
        account = await self._kit.accounts.require(request, fresh_within=FRESH_WITHIN)
        response = json_response(await self._people.export(account.user.id, by="person"))
        response.headers["content-disposition"] = 'attachment; filename="account.json"'
        return response

"""The JSON interface of a change of address that a server asks for: `users/{id}/address`."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address_request import AddressRequest
from pwless_middleware.errors import (
    ForbiddenOrigin,
    NotFound,
    PersonNotFound,
    RateLimited,
    Unauthenticated,
)
from pwless_middleware.features.email_login.fields import NEW_ADDRESS
from pwless_middleware.flows.people.address_requests import AddressRequests
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.user_path import find_user, find_user_id
from pwless_middleware.web.responses.responses import EVERYWHERE, json_response
from pwless_middleware.web.responses.session_json import time_field
from pwless_middleware.web.routing.operations import API_KEY, Operation
from pwless_middleware.web.routing.routes import Route

_PATH: Final = "/api/v1/users/{id}/address"


class AddressRequestApi:
    """Answer the calls.

    Args:
        kit: everything below.
        requests: asks for changes.
    """

    def __init__(self, kit: Kit, requests: AddressRequests) -> None:
        self._kit = kit
        self._requests = requests
        self.routes = (
            Route(
                _PATH,
                {"POST": self.ask, "DELETE": self.withdraw},
                "api",
                {"POST": _ASK, "DELETE": _WITHDRAW},
            ),
        )

    async def ask(self, request: Request) -> Response:
        """Mail a link to the new address."""
        caller = await self._kit.callers.server(request, scope="users")
        user_id = await find_user_id(self._kit, request)
        values = NEW_ADDRESS.read_json(await read_json(request))
        user = await find_user(self._kit, user_id)
        asked = await self._requests.ask(user, values.text("email"), by=caller.name)
        return json_response(_public(asked))

    async def withdraw(self, request: Request) -> Response:
        """Take it back."""
        caller = await self._kit.callers.server(request, scope="users")
        user_id = await find_user_id(self._kit, request)
        if not await self._requests.withdraw(user_id, by=caller.name):
            raise NotFound
        return Response(status_code=204, headers=EVERYWHERE)


def _public(asked: AddressRequest) -> dict[str, object]:
    return {"email": asked.new, "expires_at": str(asked.confirm_until)}


_ERRORS = (Unauthenticated, ForbiddenOrigin, PersonNotFound)
_WHO = {"id": "The user's id."}
_ASK = Operation(
    id="requestUserAddress",
    summary="Ask for another address of a user, to be confirmed from there",
    about=(
        "The new address is sent a link, good for 72 hours. Once it is confirmed the user is "
        "signed out everywhere, and the old address is told and can undo it for 72 hours."
    ),
    parameters=_WHO,
    security=((API_KEY,),),
    body=NEW_ADDRESS,
    answers={
        200: Fields(
            {
                "email": Field(
                    about="The address that has to confirm it.",
                    example="new@example.com",
                    required=True,
                ),
                "expires_at": time_field("Until when it can be confirmed"),
            }
        )
    },
    errors=(*_ERRORS, RateLimited),
)
_WITHDRAW = Operation(
    id="withdrawUserAddress",
    summary="Take such a request back",
    parameters=_WHO,
    security=((API_KEY,),),
    answers={204: None},
    errors=_ERRORS,
)

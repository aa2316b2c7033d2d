"""`POST {prefix}/oauth/token`: an access token for a server, by OAuth 2.0 client credentials.

Clients of Scalekit's REST API get their token this way. Errors have OAuth's own shape (RFC 6749
§5.2), since OAuth libraries read that one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.web.identity.access_tokens import TOKEN_PREFIX, TOKEN_SECONDS
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.requests.bodies import FORM, MAX_FIELDS, read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.operations import Operation
from pwless_middleware.web.routing.routes import Route

PATH = "/oauth/token"
GRANT = "client_credentials"


class OAuthToken:
    """Mount the token endpoint."""

    def mount(self, kit: Kit) -> Mounted:
        """Return its route."""
        return Mounted(routes=(TokenEndpoint(kit).route,))


class TokenEndpoint:
    """Answer requests for an access token.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._servers = kit.callers.servers
        # Servers post here without an origin, and say who they are in the form.
        self.route = Route(
            PATH, {"POST": self.issue}, "api", {"POST": _OPERATION}, cross_site="cookieless"
        )

    async def issue(self, request: Request) -> Response:
        """Issue a token for the client's id and secret, sent as a form or by HTTP Basic."""
        try:
            form = await read_form(request)
        except InvalidArgument as error:
            return _refuse(400, "invalid_request", str(error))
        if form.get("grant_type", "") != GRANT:
            if "grant_type" not in form:
                return _refuse(400, "invalid_request", f"Send grant_type={GRANT}.")
            return _refuse(400, "unsupported_grant_type", f"Only {GRANT} is supported.")
        authorization = request.headers.getlist("authorization")
        if authorization and not {"client_id", "client_secret"}.isdisjoint(form):
            return _refuse(400, "invalid_request", "Authenticate in one way, not in two.")
        id, secret = _basic(authorization) if authorization else _read_credentials(form)
        token = await self._servers.issue_token(id, secret)
        if token is None:
            return _refuse(401, "invalid_client", "The id or the secret of the client is wrong.")
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}
        return json_response(answer)


def _read_credentials(form: Mapping[str, str]) -> tuple[str, str]:
    return form.get("client_id", ""), form.get("client_secret", "")


def _basic(authorization: list[str]) -> tuple[str, str]:
    """Read HTTP Basic credentials, form-encoded within (RFC 6749 §2.3.1); empty if they are bad."""
    scheme, _, credentials = authorization[0].partition(" ")
    if len(authorization) != 1 or scheme.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(credentials.strip(" "), validate=True).decode()
    except (ValueError, binascii.Error):
        return "", ""
    id, _, secret = text.partition(":")
    return unquote_plus(id), unquote_plus(secret)


def _refuse(status: int, error: str, description: str) -> Response:
    response = json_response({"error": error, "error_description": description}, status=status)
    if status == 401:
        response.headers["www-authenticate"] = "Basic"
    return response


_ERROR = Fields(
    {
        "error": Field(
            about="What is wrong (RFC 6749 §5.2).",
            example="invalid_client",
            required=True,
            one_of=("invalid_request", "invalid_client", "unsupported_grant_type"),
        ),
        "error_description": Field(
            about="The same for people.", example="The secret is wrong.", required=True
        ),
    }
)
_OPERATION = Operation(
    id="getAccessToken",
    summary="Get an access token for an API key",
    about=(
        "OAuth 2.0 client credentials (RFC 6749 §4.4): the name of an API key is the client id, "
        "the key its secret, in the form or by HTTP Basic. The token is sent like the key."
    ),
    body=Fields(
        {
            "grant_type": Field(about="The grant.", example=GRANT, required=True, one_of=(GRANT,)),
            "client_id": Field(about="The API key's name.", example="backend"),
            "client_secret": Field(about="The API key.", example="pwk_…"),
        },
        also={"additionalProperties": {"type": "string"}, "maxProperties": MAX_FIELDS},
    ),
    body_type=FORM,
    answers={
        200: Fields(
            {
                "access_token": Field(
                    about="Send it as a bearer token.",
                    example="pwt_…",
                    required=True,
                    also={"pattern": f"^{TOKEN_PREFIX}"},
                ),
                "token_type": Field(
                    about="How it is sent.", example="Bearer", required=True, one_of=("Bearer",)
                ),
                "expires_in": Field(
                    kind="integer",
                    about="Seconds that it is good for.",
                    example=TOKEN_SECONDS,
                    required=True,
                ),
            }
        ),
        400: _ERROR,
        401: _ERROR,
    },
)

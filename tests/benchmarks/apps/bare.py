"""Starlette alone, and with what it brings along for sessions."""

from __future__ import annotations

import base64
import json

import itsdangerous
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, BaseUser, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.benchmarks.targets import KEY, WHO, Place, Target


def bare(place: Place) -> Target:
    """Make the app that knows nobody."""

    async def site(request: Request) -> Response:
        return PlainTextResponse(WHO if b"cookie" in dict(request.scope["headers"]) else "nobody")

    async def sign_in(email: str) -> bytes:
        return b"who=" + email.encode()

    return Target(Starlette(routes=[Route("/", site)]), sign_in)


def session(place: Place) -> Target:
    """Make an app whose signed cookie holds the session itself."""

    async def site(request: Request) -> Response:
        return PlainTextResponse(request.session.get("user", "nobody"))

    async def sign_in(email: str) -> bytes:
        data = base64.b64encode(json.dumps({"user": email}).encode())
        return b"session=" + itsdangerous.TimestampSigner(KEY).sign(data)

    app = Starlette(routes=[Route("/", site)])
    return Target(SessionMiddleware(app, secret_key=KEY), sign_in)


class Signed(AuthenticationBackend):
    """Read who it is from a signed cookie, as many apps do."""

    def __init__(self) -> None:
        self.signer = itsdangerous.TimestampSigner(KEY)

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return the user, or `None`."""
        try:
            name = self.signer.unsign(conn.cookies["who"], max_age=86400).decode()
        except (KeyError, itsdangerous.BadSignature):
            return None
        return AuthCredentials(["authenticated"]), SimpleUser(name)


def signed(place: Place) -> Target:
    """Make an app behind Starlette's own AuthenticationMiddleware."""

    async def site(request: Request) -> Response:
        return PlainTextResponse(request.user.display_name or "nobody")

    backend = Signed()

    async def sign_in(email: str) -> bytes:
        return b"who=" + backend.signer.sign(email)

    app = Starlette(routes=[Route("/", site)])
    return Target(AuthenticationMiddleware(app, backend=backend), sign_in)

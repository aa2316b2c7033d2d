"""Our pages: wrap the app, and read `request.state.user`. Nothing else changes."""

import secrets

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pwless_middleware import Outbox, PasswordlessMiddleware


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"Hello, {request.state.user.email}!")


app = PasswordlessMiddleware(
    Starlette(routes=[Route("/", hello)]),
    secret_key=secrets.token_urlsafe(32),  # in production: one that stays, from your secrets
    base_url="http://localhost:8000",
    mailer=Outbox(),  # in production: SMTPMailer("smtp://…", sender="…")
)

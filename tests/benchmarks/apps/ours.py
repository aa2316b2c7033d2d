"""Ours, on each store, with default options but for who is let in where."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pwless_middleware import (
    Mailer,
    MemoryStore,
    Message,
    Passwordless,
    PasswordlessMiddleware,
    Store,
)
from pwless_middleware.delivery.base import close_mailer
from tests.benchmarks.asgi import ORIGIN, jar, post
from tests.benchmarks.targets import KEY, Catch, Place, Target

_API = "/auth/api/v1/passwordless/email/"
_JSON = b"application/json"


class Catching:
    """Catch every mail, and hand it on where there is a mail server."""

    def __init__(self, catch: Catch, smtp_port: int) -> None:
        self._catch = catch
        self._smtp: Mailer | None = None
        if smtp_port:  # imported only where it is configured, as everything is
            from pwless_middleware import SMTPMailer

            url = f"smtp://127.0.0.1:{smtp_port}"
            self._smtp = SMTPMailer(url, sender="Acme <in@acme.example>")

    async def send(self, message: Message) -> None:
        """Keep the text; hand the message on."""
        if self._smtp is not None:
            await self._smtp.send(message)
        self._catch.take(message.to, message.text)

    async def aclose(self) -> None:
        """Give back connections."""
        if self._smtp is not None:
            await close_mailer(self._smtp)


class Browser:
    """Sign in over the JSON API, as a page's script does."""

    def __init__(self, app: PasswordlessMiddleware) -> None:
        self._app = app

    async def send(self, email: str, client: str) -> bytes:
        """Ask for the mail."""
        body = json.dumps({"email": email}).encode()
        answer = await post(self._app, _API + "send", body, kind=_JSON, client=client)
        assert answer.status == 200, answer
        id = json.loads(answer.body)["auth_request_id"]
        return json.dumps([id, jar(answer.cookies()).decode()]).encode()

    async def verify(self, brought: bytes, code: str, client: str) -> bytes:
        """Hand in the code."""
        id, cookie = json.loads(brought)
        body = json.dumps({"auth_request_id": id, "code": code}).encode()
        answer = await post(
            self._app, _API + "verify", body, kind=_JSON, cookie=cookie.encode(), client=client
        )
        assert answer.status == 200, answer
        name = self._app.passwordless.cookies.names.session
        return name + answer.cookies()[name.removesuffix(b"=")]


def wrap(store: Store, place: Place, *, cookie_name: str | None = None, **options: Any) -> Target:
    """Wrap the app in one line; `options` are more of `Passwordless`."""

    async def site(request: Request) -> Response:
        return PlainTextResponse(request.state.user.email or "nobody")

    catch = Catch()
    make_site = Passwordless(
        secret_key=KEY,
        base_url=ORIGIN.decode(),
        mailer=Catching(catch, place.smtp_port),
        store=store,
        public=["/"],
        cookie_name=cookie_name,
        **options,
    )
    app = PasswordlessMiddleware(Starlette(routes=[Route("/", site)]), passwordless=make_site)

    async def sign_in(email: str) -> bytes:
        sent = await make_site.send(email)
        while await make_site.deliveries.run_due() or email not in catch.texts:  # noqa: ASYNC110
            await asyncio.sleep(0)  # the worker may have been first
        done = await make_site.verify(auth_request_id=sent.auth_request_id, code=catch.code(email))
        return done.set_cookie.split(";", 1)[0].encode()

    return Target(app, sign_in, Browser(app), catch, make_site.lifetime.close)


def memory(place: Place) -> Target:
    """Keep everything in process."""
    return wrap(MemoryStore(max_entries=10_000_000, max_jobs=1_000_000), place)


def redis(place: Place) -> Target:
    """Keep everything in Redis."""
    from pwless_middleware import RedisStore

    return wrap(RedisStore(place.redis_url, prefix=place.prefix, max_jobs=10_000_000), place)


def sqlite(place: Place) -> Target:
    """Keep everything in a file, whose commits outlast a power cut (the default)."""
    from pwless_middleware import Database, SQLStore

    database = Database(f"sqlite:///{place.folder}/{place.prefix}.db")
    return wrap(SQLStore(database, max_jobs=10_000_000), place)


def everything(place: Place) -> Target:
    """Keep sessions in process and the rest in a file, with every feature that needs no account."""
    from pwless_middleware import (
        SSO,
        Dashboard,
        Database,
        EmailLogin,
        Metrics,
        Organizations,
        Passkeys,
        SecondFactors,
        Webhooks,
    )

    return wrap(
        MemoryStore(max_entries=10_000_000, max_jobs=1_000_000),
        place,
        database=Database(f"sqlite:///{place.folder}/{place.prefix}-everything.db"),
        features=[
            EmailLogin(),
            Passkeys(),
            SecondFactors(),
            Organizations(),
            SSO(),
            Dashboard(operators=["ops@example.com"]),
            Webhooks(),
            Metrics(),
        ],
    )


def postgresql(place: Place) -> Target:
    """Keep everything in PostgreSQL; its targets have one database, and a realm of their own."""
    from pwless_middleware import Database, SQLStore

    store = SQLStore(Database(place.postgres_url), max_jobs=10_000_000)
    return wrap(store, place, cookie_name=place.prefix)

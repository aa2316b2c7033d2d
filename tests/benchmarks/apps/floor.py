"""The least that a login by code can cost: one HMAC, one write or take, and no rule at all.

No limits, no attempts, no origin check, no link, no pages; a mail of one line. What a real one adds
to this is the price of its promises.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.benchmarks.asgi import jar, post
from tests.benchmarks.targets import KEY, Catch, Place, Target

_TAKE = """
local held = redis.call('GET', KEYS[1])
if not held then return false end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], held, 'EX', 86400)
return held
"""


def _code(id: str) -> str:
    mac = hmac.digest(KEY.encode(), id.encode(), "sha256")
    return f"{int.from_bytes(mac[:8], 'big') % 1_000_000:06d}"


class Browser:
    """Sign in over the two routes."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def send(self, email: str, client: str) -> bytes:
        """Ask for the mail."""
        body = json.dumps({"email": email}).encode()
        answer = await post(self._app, "/send", body, kind=b"application/json", client=client)
        assert answer.status == 200, answer
        return json.loads(answer.body)["id"].encode()  # type: ignore[no-any-return]

    async def verify(self, brought: bytes, code: str, client: str) -> bytes:
        """Hand in the code."""
        body = json.dumps({"id": brought.decode(), "code": code}).encode()
        answer = await post(self._app, "/verify", body, kind=b"application/json", client=client)
        assert answer.status == 200, answer
        return jar(answer.cookies())


def _floor(
    put: Callable[[str, str], Awaitable[Any]],
    take: Callable[[str, str], Awaitable[Any]],
    get: Callable[[str], Awaitable[Any]],
    aclose: Callable[[], Awaitable[None]],
) -> Target:
    catch = Catch()

    async def send(request: Request) -> Response:
        email = (await request.json())["email"]
        id = secrets.token_urlsafe(24)
        await put("c" + id, email)
        catch.take(email, f"Your code is {_code(id)}")
        return JSONResponse({"id": id})

    async def verify(request: Request) -> Response:
        asked = await request.json()
        if not hmac.compare_digest(_code(asked["id"]), asked["code"]):
            return JSONResponse({}, 400)
        secret = secrets.token_urlsafe(24)
        email = await take("c" + asked["id"], "s" + secret)
        if email is None:
            return JSONResponse({}, 410)
        response = JSONResponse({"email": email})
        response.set_cookie("floor", secret, httponly=True)
        return response

    async def site(request: Request) -> Response:
        return PlainTextResponse(await get("s" + request.cookies.get("floor", "")) or "nobody")

    app = Starlette(
        routes=[
            Route("/", site),
            Route("/send", send, methods=["POST"]),
            Route("/verify", verify, methods=["POST"]),
        ]
    )
    login = Browser(app)

    async def sign_in(email: str) -> bytes:
        return await login.verify(await login.send(email, ""), catch.code(email), "")

    return Target(app, sign_in, login, catch, aclose)


def memory(place: Place) -> Target:
    """Keep everything in a dict."""
    held: dict[str, str] = {}

    async def put(key: str, value: str) -> None:
        held[key] = value

    async def take(key: str, into: str) -> str | None:
        email = held.pop(key, None)
        if email is not None:
            held[into] = email
        return email

    async def get(key: str) -> str | None:
        return held.get(key)

    async def aclose() -> None:
        held.clear()

    return _floor(put, take, get, aclose)


def redis(place: Place) -> Target:
    """Keep everything in Redis, one round trip for each step."""
    from redis.asyncio import BlockingConnectionPool, Redis

    pool = BlockingConnectionPool.from_url(place.redis_url, decode_responses=True)
    client = Redis(connection_pool=pool)
    script = client.register_script(_TAKE)

    async def put(key: str, value: str) -> None:
        await client.set("floor" + key, value, ex=300)

    async def take(key: str, into: str) -> Any:
        return await script(keys=["floor" + key, "floor" + into])

    async def get(key: str) -> Any:
        return await client.get("floor" + key)

    return _floor(put, take, get, pool.disconnect)

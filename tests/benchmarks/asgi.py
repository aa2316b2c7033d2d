"""Ask an ASGI app in process, as a server would: no socket, no parser, nothing but the app."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Scope

RawHeaders = Sequence[tuple[bytes, bytes]]

HOST = b"localhost:8000"
ORIGIN = b"http://" + HOST
_BROWSER: RawHeaders = (
    (b"host", HOST),
    (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    (b"accept-language", b"en-GB,en;q=0.5"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"connection", b"keep-alive"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an app answered."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def cookies(self) -> dict[bytes, bytes]:
        """Return the cookies that it sets, by name."""
        lines = [v for k, v in self.headers if k.lower() == b"set-cookie"]
        pairs = [line.split(b";", 1)[0].partition(b"=") for line in lines]
        return {name: value for name, _, value in pairs if value not in (b"", b'""')}


def scope(
    path: str = "/",
    *,
    method: str = "GET",
    headers: RawHeaders = (),
    cookie: bytes = b"",
    client: str = "127.0.0.1",
) -> Scope:
    """Make the scope of a browser's request; a new one for each, since apps may write into it."""
    sent = [*_BROWSER, *headers]
    if cookie:
        sent.append((b"cookie", cookie))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": sent,
        "client": (client, 40000),
        "server": ("localhost", 8000),
        "state": {},
    }


async def ask(app: ASGIApp, asked: Scope, body: bytes = b"") -> Answer:
    """Send one request and collect the answer."""
    came: list[Message] = []
    inbox: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if inbox:
            return inbox.pop()
        await asyncio.get_running_loop().create_future()  # the client stays; some apps listen
        raise AssertionError

    async def send(message: Message) -> None:
        came.append(message)

    await app(asked, receive, send)
    return Answer(
        came[0]["status"],
        list(came[0].get("headers", ())),
        b"".join(message.get("body", b"") for message in came[1:]),
    )


async def post(
    app: ASGIApp,
    path: str,
    body: bytes,
    *,
    kind: bytes,
    cookie: bytes = b"",
    client: str = "127.0.0.1",
) -> Answer:
    """Post a body as a browser's page of the same origin does."""
    headers = [
        (b"origin", ORIGIN),
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
    ]
    asked = scope(path, method="POST", headers=headers, cookie=cookie, client=client)
    return await ask(app, asked, body)


def jar(cookies: dict[bytes, bytes]) -> bytes:
    """Write cookies as the header that brings them back."""
    return b"; ".join(name + b"=" + value for name, value in cookies.items())

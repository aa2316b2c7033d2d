"""AWS Lambda, by Mangum: an event for each request, and nothing that runs between two."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from pwless_middleware import PasswordlessMiddleware
from pwless_middleware.delivery.base import Message
from tests.apps.places import needs
from tests.support import KEY, WhoAmI, token_of

needs("mangum")

from mangum import Mangum  # noqa: E402

HOST = "app.example.com"


class Post:
    """A mailer that notes what was sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def send(self, message: Message) -> None:
        await asyncio.sleep(0.05)
        self.sent.append(message)


class Function:
    """One Lambda function, and the browser that asks it by a function URL (payload 2.0)."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, url: str, form: dict[str, str] | None = None) -> dict[str, Any]:
        parts = urlsplit(url)
        headers = {"host": HOST, "accept": "text/html"}
        if form is not None:
            headers |= {
                "content-type": "application/x-www-form-urlencoded",
                "origin": f"https://{HOST}",
            }
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": parts.path,
            "rawQueryString": parts.query,
            "cookies": [f"{name}={value}" for name, value in self.cookies.items()],
            "headers": headers,
            "requestContext": {
                "domainName": HOST,
                "http": {
                    "method": method,
                    "path": parts.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7",
                },
            },
            "body": urlencode(form) if form is not None else None,
            "isBase64Encoded": False,
        }
        answer: dict[str, Any] = self.handler(event, object())
        for line in answer.get("cookies", ()):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """The event loop that Mangum finds or makes, and leaves open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.parametrize("lifespan", ["off", "auto"])
@pytest.mark.parametrize("by", ["code", "link"])
def test_the_request_that_asks_for_an_email_delivers_it(lifespan: Any, by: str) -> None:
    post = Post()
    app = PasswordlessMiddleware(
        WhoAmI(),
        secret_key=KEY,
        base_url=f"https://{HOST}",
        mailer=post,
        delivery="inline",
    )
    function = Function(Mangum(app, lifespan=lifespan))
    led = function.ask("GET", "/private?x=1")
    assert led["statusCode"] == 303
    next = parse_qs(urlsplit(led["headers"]["location"]).query)["next"][0]
    asked = function.ask("POST", "/auth/login", {"email": "jo@example.com", "next": next})
    assert asked["statusCode"] == 303
    (mail,) = post.sent  # before the function was frozen
    if by == "code":
        code = re.findall(r"^[0-9]{6}$", mail.text, re.MULTILINE)[0]
        done = function.ask("POST", "/auth/verify", {"code": code})
    else:
        link = re.findall(r"https://\S+link_token=\S+", mail.text)[0]
        assert function.ask("GET", link)["statusCode"] == 200
        done = function.ask("POST", "/auth/link", {"link_token": token_of(link)})
    assert done["headers"]["location"] == f"https://{HOST}/private?x=1"
    page = function.ask("GET", "/private?x=1")
    assert page["statusCode"] == 200
    assert "jo@example.com" in page["body"]

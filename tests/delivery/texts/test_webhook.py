"""What is the webhook's own: it may live in a path, and any success is one."""

from __future__ import annotations

import json

import pytest

from pwless_middleware.delivery.texts.base import TextMessage
from pwless_middleware.delivery.texts.webhook import WebhookTexts
from tests.delivery.texts.fake_server import reply, serving
from tests.delivery.texts.vendors import TLS

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_success_is_one(status: int) -> None:
    said = reply(status) if status != 204 else b"HTTP/1.1 204 Said\r\n\r\n"
    async with serving(lambda _: said) as server:
        webhook = WebhookTexts(url=f"{server.url}/a/b/?c=d/", token="t0ken", tls_context=TLS)
        await webhook.send(TextMessage("+4915112345678", "Grüße 🔑", "https://a.example/s"))
        await webhook.aclose()
    (seen,) = server.seen
    assert seen.target == "/a/b/?c=d/"
    assert seen.headers["content-type"] == "application/json"
    assert json.loads(seen.body) == {
        "to": "+4915112345678",
        "body": "Grüße 🔑",
        "status_url": "https://a.example/s",
    }

"""The time that a gateway has for its answer, from the connection to the last byte."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util

import pytest

from pwless_middleware.delivery.base import MaybeDelivered
from pwless_middleware.delivery.texts.http import HTTPClient
from pwless_middleware.errors import DeliveryError
from pwless_middleware.safe_http import httpx_library
from tests.delivery.texts.fake_server import Reply, serving

pytestmark = pytest.mark.anyio

SECONDS = 0.9
"""Enough for a connection on a busy machine, and no more than a test may wait."""
DRIBBLE: list[bytes | float | None] = [b"a", 0.05]


def make() -> HTTPClient:
    return HTTPClient("it", timeout=SECONDS, parallel=1, tls_context=None)


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one of the two alone."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        httpx_library, "find_spec", lambda name: found(name) if name == request.param else None
    )
    importlib.import_module(request.param)


@pytest.mark.parametrize(
    "said",
    [
        [None],
        [b"HTTP/1.1 200 Said\r\nx-a: ", *(DRIBBLE * 100)],  # each byte comes soon
        [b"HTTP/1.1 200 Said\r\ncontent-length: 999\r\n\r\n", *(DRIBBLE * 100)],
    ],
    ids=["silence", "slow headers", "slow body"],
)
async def test_who_takes_too_long_may_have_taken_it(said: Reply) -> None:
    loop = asyncio.get_running_loop()
    async with serving(lambda _: said) as server:
        client = make()
        begun = loop.time()
        with pytest.raises(MaybeDelivered, match=r"no answer within 0\.9 s, after the message was"):
            await client.exchange("POST", server.url, {}, b"hello")
        assert loop.time() - begun < 10
        await client.aclose()
    assert server.seen[0].body == b"hello"


@pytest.mark.usefixtures("library")
async def test_who_never_answers_the_handshake_has_not() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = make()
        with pytest.raises(
            DeliveryError, match="cannot be reached: no connection in time"
        ) as raised:
            await client.exchange("POST", f"https://127.0.0.1:{port}", {}, b"hello")
        assert not isinstance(raised.value, MaybeDelivered)
        await client.aclose()

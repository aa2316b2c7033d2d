"""python-socketio: by polling, by websocket, and by polling that is upgraded.

The websocket ways are taken with its own client; polling is written by hand, since that client
waits for its last poll (25 s) before it ends.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.apps.person import Person
from tests.apps.places import needs

needs("socketio", "aiohttp", "hypercorn", "granian")

import aiohttp  # noqa: E402 - only where it is installed
import socketio  # noqa: E402

APP = "tests.apps.served.socketio_app:app"
POLL = "/socket.io/?EIO=4&transport=polling"
WAYS = pytest.mark.parametrize(
    "transports", [["websocket"], ["polling", "websocket"]], ids="-".join
)


@asynccontextmanager
async def connected(person: Person, transports: list[str]) -> AsyncIterator[socketio.AsyncClient]:
    """Connect as a page of this person would."""
    # In the session: this client sends headers of one's own with its first request alone.
    async with aiohttp.ClientSession(cookies=dict(person.http.cookies)) as http:
        client = socketio.AsyncClient(reconnection=False, http_session=http)
        try:
            await client.connect(
                person.origin,
                socketio_path=person.prefix.strip("/") + "/socket.io",
                transports=transports,
                headers={"Origin": person.origin},
                wait_timeout=30,
            )
            yield client
        finally:
            await client.shutdown()


@WAYS
@pytest.mark.anyio
async def test_a_stranger_cannot_connect(stranger: Person, transports: list[str]) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        async with connected(stranger, transports):
            pass


@WAYS
@pytest.mark.anyio
async def test_events_come_and_go_and_know_who_speaks(
    member: Person, transports: list[str]
) -> None:
    async with connected(member, transports) as client:
        assert client.transport() == "websocket"
        answer = await client.call("who", "good day", timeout=30)
        assert answer == "good day, member@example.com"
        assert await client.call("cookie", timeout=30) == ""
        came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        client.on("file back", came.set_result)
        content = bytes(range(256)) * 2000
        await client.emit("file", content)
        assert await asyncio.wait_for(came, 30) == content


@WAYS
@pytest.mark.anyio
async def test_the_socket_ends_with_the_session(stranger: Person, transports: list[str]) -> None:
    stranger.sign_in("/")
    async with connected(stranger, transports) as client:
        assert (await client.call("who", "hello", timeout=30)).startswith("hello, person")
        over = asyncio.Event()
        client.on("disconnect", lambda *_: over.set())
        await asyncio.to_thread(stranger.sign_out)
        await asyncio.wait_for(over.wait(), 30)
    with pytest.raises(socketio.exceptions.ConnectionError):
        async with connected(stranger, transports):
            pass


def test_polling_works_and_ends_with_the_session(stranger: Person) -> None:
    stranger.sign_in("/")
    opened = stranger.http.get(stranger.url(POLL))
    sid = json.loads(opened.text[1:])["sid"]
    url = stranger.url(f"{POLL}&sid={sid}")
    assert stranger.http.post(url, content="40").text == "OK"
    assert stranger.http.get(url).text.startswith("40{")
    stranger.http.post(url, content='427["who","by polling"]')
    said = stranger.http.get(url).text
    assert said.startswith('437["by polling, person')
    stranger.sign_out()
    assert stranger.http.post(url, content='428["who","still?"]').status_code == 401
    assert stranger.http.get(url).status_code == 401


def test_polling_answers_a_stranger_as_a_program(stranger: Person) -> None:
    answer = stranger.http.get(stranger.url(POLL))
    assert answer.status_code == 401
    assert answer.json()["details"][0]["error_code"] == "UNAUTHENTICATED"


def test_a_login_leads_back_to_the_page_beside_it(stranger: Person) -> None:
    done = stranger.sign_in("/?room=7")
    assert stranger.at(done) == "/?room=7"
    assert stranger.visit("/?room=7").text == "a page"

"""A host with several addresses: whichever answers is taken, and nothing is left open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pwless_middleware.dialing import ATTEMPT_DELAY, dial

pytestmark = pytest.mark.anyio

Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Set the addresses that the system's resolver has for `mail.test`."""

    def set_to(*addresses: str) -> None:
        def known(host: object, port: object, *args: Any, **options: Any) -> Any:
            assert host in ("mail.test", b"mail.test")
            families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in addresses]
            return [
                (family, socket.SOCK_STREAM, 6, "", (each, port, 0, 0)[: 4 if ":" in each else 2])
                for family, each in zip(families, addresses, strict=True)
            ]

        monkeypatch.setattr(socket, "getaddrinfo", known)

    return set_to


@pytest.fixture
async def port() -> Any:
    """The port of a server on 127.0.0.1 and nowhere else."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.fixture
def black_hole(port: int) -> Iterator[None]:
    """Make [::1]:port swallow connections: neither refused nor accepted."""
    held = [socket.socket(socket.AF_INET6)]
    held[0].bind(("::1", port))
    held[0].listen(0)
    for _ in range(4):
        one = socket.socket(socket.AF_INET6)
        one.setblocking(False)
        one.connect_ex(("::1", port))
        held.append(one)
    yield
    for each in held:
        each.close()


async def peer(port: int) -> str:
    made = await dial("mail.test", port)
    with made:
        return str(made.getpeername()[0])


async def test_a_dead_first_address_costs_a_quarter_of_a_second(
    resolve: Resolve, port: int, black_hole: None
) -> None:
    resolve("::1", "127.0.0.1")
    begun = asyncio.get_running_loop().time()
    async with asyncio.timeout(30):
        assert await peer(port) == "127.0.0.1"
    assert asyncio.get_running_loop().time() - begun >= ATTEMPT_DELAY


async def test_the_families_take_turns(resolve: Resolve, port: int, black_hole: None) -> None:
    """Of many dead addresses of one family, only the first stands before the other's."""
    resolve(*["::1"] * 120, "127.0.0.1")
    begun = asyncio.get_running_loop().time()
    assert await peer(port) == "127.0.0.1"
    assert asyncio.get_running_loop().time() - begun < 100 * ATTEMPT_DELAY


async def test_an_address_that_refuses_leads_to_the_next_at_once(
    resolve: Resolve, port: int
) -> None:
    resolve("127.0.0.2", "127.0.0.1")
    assert await peer(port) == "127.0.0.1"


async def test_the_first_refusal_is_told_where_all_refuse(resolve: Resolve, port: int) -> None:
    resolve("127.0.0.2", "127.0.0.3")
    with pytest.raises(ConnectionRefusedError, match=r"127\.0\.0\.2"):
        await dial("mail.test", port)


async def test_a_name_without_an_address_is_an_error_of_the_network(resolve: Resolve) -> None:
    resolve()
    with pytest.raises(OSError, match="no address"):
        await dial("mail.test", 25)


async def test_who_gives_up_leaves_no_socket_behind(
    resolve: Resolve, port: int, black_hole: None
) -> None:
    resolve("::1", "127.0.0.2")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2 * ATTEMPT_DELAY):
            await dial("mail.test", port)


async def test_of_two_that_answer_at_once_one_is_kept_and_the_other_closed(
    resolve: Resolve, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unclosed socket would warn, and warnings are errors."""
    loop, all_try, trying = asyncio.get_running_loop(), asyncio.Event(), 0
    really = loop.sock_connect

    async def together(made: socket.socket, address: Any) -> None:
        nonlocal trying
        trying += 1
        if trying == 3:
            all_try.set()
        await all_try.wait()
        await really(made, address)

    monkeypatch.setattr(loop, "sock_connect", together)
    resolve(*["127.0.0.1"] * 3)
    assert await peer(port) == "127.0.0.1"

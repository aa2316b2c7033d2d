"""A server that sends much at once leaves others their turn."""

from __future__ import annotations

import asyncio

import pytest

from pwless_middleware.safe_http.fair_reads import AT_ONCE, FairReads

pytestmark = pytest.mark.anyio


class Pouring:
    """A connection that has as much at once as anybody wants."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        self.asked.append(max_bytes)
        return b"x" * max_bytes


async def test_others_have_their_turn_between_small_parts() -> None:
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    stream = Pouring()
    await FairReads(1_000_000).trace("connection.start_tls.complete", {"return_value": stream})
    other = asyncio.create_task(take_turns())
    for _ in range(10):
        await stream.read(65_536)
    other.cancel()
    assert turns >= 10
    assert stream.asked == [AT_ONCE] * 10

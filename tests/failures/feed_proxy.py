"""A proxy that can hold up a process's revocation feed and nothing else, or all but that."""

from __future__ import annotations

import asyncio
from types import TracebackType

from tests.redis_proxy import Proxy


class FeedProxy(Proxy):
    """Stand between one process and Redis; `hold` stops what comes to a subscribed connection.

    That is the worst that a network can do to the feed: the connection stands, requests get
    through, and revocations do not.
    """

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._feed_flows = asyncio.Event()
        self._feed_flows.set()
        self._questions_flow = asyncio.Event()
        self._questions_flow.set()
        self.subscriptions = 0

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.release_questions()
        self.release()  # else a test that fails in between would wait here without end
        await super().__aexit__(kind, exc, tb)

    def hold(self) -> None:
        """Let nothing more through to subscribed connections."""
        self._feed_flows.clear()

    def release(self) -> None:
        """Let it all through, late."""
        self._feed_flows.set()

    def hold_questions(self) -> None:
        """Let no answer through but to subscribed connections."""
        self._questions_flow.clear()

    def release_questions(self) -> None:
        """Let the answers through, late."""
        self._questions_flow.set()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_request: bool,
        state: dict[str, bool],
    ) -> None:
        try:
            while data := await reader.read(65536):
                if is_request and b"SUBSCRIBE" in data:
                    state["is_feed"] = True
                    self.subscriptions += 1
                await self._flows.wait()
                if not is_request:
                    is_feed = state.get("is_feed", False)
                    await (self._feed_flows if is_feed else self._questions_flow).wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

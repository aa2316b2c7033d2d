"""A TCP proxy in front of a Redis, with the faults of networks: lost replies, silence, cuts."""

from __future__ import annotations

import asyncio
from types import TracebackType

from tests.ports import free_port


class Proxy:
    """Stand between a client and the server at `port`; use as `async with`.

    Attributes:
        direct: the URL of the server itself.
        target: the port that new connections lead to; those that stand stay where they are.
        late: seconds by which every reply comes later, without holding up the next.
        drops: replies to scripts that are still to be lost, each with its connection.
        rewrites: bytes that are replaced in replies.
    """

    def __init__(self, port: int) -> None:
        self.target = port
        self.late = 0.0
        self.direct = f"redis://127.0.0.1:{port}/0"
        self.port = free_port()
        self.drops = 0
        self.rewrites: dict[bytes, bytes] = {}
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def __aenter__(self) -> Proxy:
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._listener is not None
        self._listener.close()
        self.thaw()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """Let nothing through; connections stay open."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let everything through again."""
        self._flows.set()

    def cut(self) -> None:
        """Close every connection."""
        for writer in list(self._writers):
            writer.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        state = {"is_script": False}
        for pair in ((reader, far_writer, True), (far_reader, writer, False)):
            task = asyncio.get_running_loop().create_task(self._pump(*pair, state))
            self._tasks.add(task)
        self._writers |= {writer, far_writer}

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        is_request: bool,
        state: dict[str, bool],
    ) -> None:
        try:
            while data := await reader.read(65536):
                await self._flows.wait()
                if is_request:
                    state["is_script"] = b"EVAL" in data
                elif self.drops and state["is_script"] and not data.startswith(b"-NOSCRIPT"):
                    self.drops -= 1
                    break
                for old, new in self.rewrites.items():
                    data = data.replace(old, new)
                if self.late and not is_request:
                    asyncio.get_running_loop().call_later(self.late, writer.write, data)
                    continue
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

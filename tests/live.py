"""A real server in a thread, and a clock for it: what a browser and curl talk to in tests."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from pwless_middleware import Outbox
from pwless_middleware.pytest_plugin.clock import Clock
from tests.needs import need_command


def clock_of_today() -> Clock:
    """Return a clock that a test moves. It starts at the real time, so that mails look right."""
    return Clock(int(time.time()))


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


def shell_answers(script: str, url: str, api_key: str, outbox: Outbox) -> list[dict[str, Any]]:
    """Run a shell script letter by letter, type the code when it asks, and give its answers."""
    need_command("curl")
    process = subprocess.Popen(
        ["bash", "-eu", "-c", script.replace("http://localhost:8000", url)],
        env={**os.environ, "PWLESS_API_KEY": api_key},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        # One line for send and one for resend; by then the mail is there.
        text = process.stdout.readline() + process.stdout.readline()
        process.stdin.write(f"{outbox.messages[-1].code}\n")
        process.stdin.close()
        text += process.stdout.read()
    assert process.returncode == 0
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        answer, end = decoder.raw_decode(text)
        found.append(answer)
        text = text[end:]
    return found

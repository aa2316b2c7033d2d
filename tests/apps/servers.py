"""Real servers as processes of their own: uvicorn, hypercorn, granian, each on a free port.

A server is started with the address that people will open in its environment; the served module
reads it (`served/options.py`). Waiting is polling with a deadline, and whatever was started is
killed, its whole process group with it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 40
"""How long a server may take to come up; Gradio imports pandas first."""

Kind = Literal["uvicorn", "uvicorn-h11", "uvicorn-wsproto", "hypercorn", "granian"]


def _command(kind: Kind, target: str, port: int, root_path: str) -> list[str]:
    python = [sys.executable, "-W", "ignore", "-m"]
    if kind.startswith("uvicorn"):
        # uvicorn believes `X-Forwarded-For` from loopback by default.
        given = ["--host", "127.0.0.1", "--port", str(port), "--no-proxy-headers"]
        given += ["--log-level", "warning", "--root-path", root_path]
        given += ["--timeout-graceful-shutdown", "1"]
        given += ["--http", "h11"] if kind == "uvicorn-h11" else []
        given += ["--ws", "wsproto"] if kind == "uvicorn-wsproto" else []
        return [*python, "uvicorn", target, *given]
    if kind == "hypercorn":
        given = ["--bind", f"127.0.0.1:{port}", "--graceful-timeout", "1"]
        given += ["--root-path", root_path] if root_path else []
        return [*python, "hypercorn", target, *given]
    given = ["--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--no-log"]
    given += ["--url-path-prefix", root_path] if root_path else []
    return [*python, "granian", target, *given]


class Server:
    """Serve `module:app` until closed.

    Args:
        kind: the server; `uvicorn` takes httptools and websockets; `uvicorn-…` what stands there.
        target: what to serve, `module:name`.
        base_url: the address that people open; `None` is the server itself, on localhost.
        root_path: the server's own option; "" for none.
        env: further variables for the served module.
    """

    def __init__(
        self,
        kind: Kind,
        target: str,
        *,
        base_url: str | None = None,
        root_path: str = "",
        env: dict[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.port = free_port()
        self.base_url = base_url or f"http://localhost:{self.port}"
        self.folder = tempfile.TemporaryDirectory(prefix="pwless-app-")
        self._log = Path(self.folder.name) / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                _command(kind, target, self.port, root_path),
                cwd=ROOT,
                env={
                    **os.environ,
                    **(env or {}),
                    "PYTHONPATH": str(ROOT),
                    "PWLESS_TEST_BASE_URL": self.base_url,
                    "PWLESS_TEST_FOLDER": self.folder.name,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return self._log.read_text(errors="replace")

    @property
    def mailbox(self) -> str:
        """Where the development mailbox opens: the server's console alone says so."""
        found = re.findall(r"https?://\S+/outbox\?token=[\w-]+", self.log)
        assert found, self.log
        return str(found[-1])

    def wait(self) -> Server:
        """Wait until it listens.

        Raises:
            RuntimeError: it ended, or took too long; with what it wrote.
        """
        deadline = time.monotonic() + START_SECONDS
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                written = self.log
                self.close()
                raise RuntimeError(f"{self.kind} did not come up:\n{written}")
            time.sleep(0.03)
        return self

    def _listens(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), 1),
        ):
            return True
        return False

    def stop(self) -> str:
        """Ask it to end, as an operator does, and give what it wrote.

        Raises:
            subprocess.TimeoutExpired: it did not end within ten seconds.
        """
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)
        return self.log

    def close(self) -> None:
        """End it and its workers at once, and remove its folder."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.folder.cleanup()

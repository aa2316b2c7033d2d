"""One server process as customers run it: `python -m tests.failures.served '{"port": …}'`.

A small app behind the middleware, on Redis or a database and SMTP, under uvicorn. `Process` starts
and ends it.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.ports import free_port

_ROOT = Path(__file__).parents[2]


class Process:
    """Run one server process.

    Args:
        store_url: its store: a Redis, or a database.
        smtp_url: its mail server.
        name: what it calls itself, in EHLO and in the header `served-by`.
        options: further settings of `main`.

    Attributes:
        port: where it listens.
        name: its own.
    """

    def __init__(self, store_url: str, smtp_url: str, name: str, **options: Any) -> None:
        self.port = free_port()
        self.name = name
        self._settings = {
            "port": self.port,
            "store": store_url,
            "smtp": smtp_url,
            "name": name,
            **options,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.spawn()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def spawn(self) -> None:
        """Start it, without waiting."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.failures.served", json.dumps(self._settings)],
            cwd=_ROOT,
        )

    def ready(self, seconds: float = 30) -> Process:
        """Wait until it listens."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.is_running, f"{self.name} has ended"
                assert time.monotonic() < deadline, f"{self.name} does not listen"
                time.sleep(0.05)
            else:
                return self

    def kill(self) -> None:
        """End it at once (SIGKILL): it has no time to settle anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)

    def close(self) -> None:
        """End it as a deployment does (SIGTERM)."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()


class _Events(logging.Handler):
    """Append the events of ours to a file, as lines of JSON."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__()
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._name = name

    def emit(self, record: logging.LogRecord) -> None:
        about = {"by": self._name, "event": getattr(record, "event", ""), "at": time.time()}
        about |= {"text": record.getMessage(), "level": record.levelname}
        os.write(self._fd, json.dumps(about).encode() + b"\n")


def main() -> None:
    """Serve."""
    import uvicorn

    from pwless_middleware import EmailLogin, PasswordlessMiddleware, SendLimits, SMTPMailer
    from pwless_middleware.stores.redis import RedisStore
    from tests.support import API_KEY, BASE, KEY, WhoAmI

    settings: dict[str, Any] = json.loads(sys.argv[1])
    if "files" in settings:
        resource.setrlimit(resource.RLIMIT_NOFILE, (settings["files"], settings["files"]))
        # Its accept loop says at length that it is out of them.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
    logger = logging.getLogger("pwless")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(
        _Events(settings["events"], settings["name"]) if "events" in settings
        else logging.NullHandler()
    )  # fmt: skip
    mailer = SMTPMailer(
        settings["smtp"], sender="login@example.com", helo=settings["name"], timeout=5
    )
    url: str = settings["store"]
    is_redis = url.startswith("redis")
    app = PasswordlessMiddleware(
        WhoAmI(),
        secret_key=KEY,
        base_url=BASE,
        mailer=mailer,
        store=RedisStore(url) if is_redis else None,
        database=None if is_redis else url,
        features=[EmailLogin(send_limits=SendLimits(**settings.get("send_limits", {})))],
        api_keys={"backend": API_KEY},
        trusted_proxies=1,
    )
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=settings["port"],
        proxy_headers=False,
        log_level=settings.get("log_level", "critical"),
        timeout_graceful_shutdown=2,
        backlog=512,
    )


if __name__ == "__main__":
    main()

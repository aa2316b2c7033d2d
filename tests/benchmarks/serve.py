"""A target under uvicorn, in processes of its own: started, asked for a session, watched, ended."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, replace
from pathlib import Path

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.benchmarks.targets import WHO, Place, build
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
_SIGN_IN = "/bench/sign-in"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def environment() -> dict[str, str]:
    """Return the environment of a fresh interpreter that keeps bytecode, as an installed one."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def create() -> ASGIApp:
    """Make the app that uvicorn serves; every target pays the same for the path that signs in."""
    env = os.environ
    place = Place(**json.loads(env["PWLESS_BENCH_PLACE"]))
    target = build(env["PWLESS_BENCH_TARGET"], place)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == _SIGN_IN:
            cookie = await target.sign_in(WHO)
            await PlainTextResponse(cookie)(scope, receive, send)
            return
        await target.app(scope, receive, send)

    return app


class Served:
    """Serve a target.

    Args:
        name: which.
        place: its surroundings; it gets a prefix of its own.
        workers: server processes.
    """

    def __init__(self, name: str, place: Place, *, workers: int = 1) -> None:
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        arguments = [sys.executable, "-m", "uvicorn", "--factory", "tests.benchmarks.serve:create"]
        arguments += ["--port", str(self.port), "--workers", str(workers), "--no-access-log"]
        arguments += ["--log-level", "error", "--no-proxy-headers"]
        own = replace(place, prefix=f"bench-{secrets.token_hex(4)}")
        env = {**environment(), "PWLESS_BENCH_TARGET": name}
        env["PWLESS_BENCH_PLACE"] = json.dumps(asdict(own))
        started = time.monotonic()
        self._process = subprocess.Popen(arguments, cwd=ROOT, env=env)
        while True:
            with contextlib.suppress(OSError):
                self.get("/")
                break
            if self._process.poll() is not None or time.monotonic() > started + 30:
                raise RuntimeError(f"{name} does not serve")
            time.sleep(0.005)
        self.first_answer = time.monotonic() - started
        """Seconds from starting the process to its first answer."""

    def get(self, path: str, cookie: str = "") -> str:
        """Ask one thing."""
        asked = urllib.request.Request(self.url + path, headers={"cookie": cookie})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return str(answer.read().decode())

    def sign_in(self) -> str:
        """Make a session; give its `Cookie` header."""
        return self.get(_SIGN_IN)

    def _pids(self) -> list[int]:
        """Return the processes: the one that was started, and what it started."""
        found = [self._process.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(FileNotFoundError):  # the thread has just ended
                    found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def cpu(self) -> float:
        """Return the CPU seconds that its processes have used."""
        total = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICKS

    def memory(self) -> float:
        """Return the resident MiB of its processes."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids())
        return pages * _PAGE / 2**20

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

"""Each way to start an app that a function makes, and FastAPI's own commands."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.apps.places import needs
from tests.guide import blocks, section
from tests.ports import free_port

needs("fastapi", "fastapi_cli", "granian", "hypercorn")

RECIPE = section("fastapi", "An app factory, `fastapi run` and `fastapi dev`")
COMMANDS = blocks("sh", text=RECIPE)[0].splitlines()


def _with_port(command: str, port: int) -> list[str]:
    """Add the port to a command of the guide, and run it with this Python."""
    program, *arguments = command.replace("'", "").split()
    arguments += ["--bind", f"127.0.0.1:{port}"] if program == "hypercorn" else []
    arguments += [] if program == "hypercorn" else ["--port", str(port)]
    return [sys.executable, "-m", program, *arguments]


@pytest.mark.parametrize("command", COMMANDS)
def test_serves_the_app_behind_the_login(command: str, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://localhost:{port}"
    module = blocks("python", text=RECIPE)[0].replace("http://localhost:8000", url)
    (tmp_path / "main.py").write_text(module)
    environ = {**os.environ, "PWLESS_SECRET_KEY": "mXr8vQ2tYz5bWn4cHs7dLf9gJa3eRu6pTk1"}
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            _with_port(command, port),
            cwd=tmp_path,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 40
        while True:
            with contextlib.suppress(httpx.TransportError):
                assert httpx.get(f"{url}/docs", timeout=30).status_code == 401
                break
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.1)
        assert httpx.get(f"{url}/auth/login", timeout=30).status_code == 200
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_readme_names_five() -> None:
    assert len(COMMANDS) == 5

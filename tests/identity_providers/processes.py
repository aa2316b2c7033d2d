"""Start a provider as a process of its own, and end it."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence

import httpx


@contextlib.contextmanager
def running(
    command: Sequence[str], ready: str, *, env: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a command until the block ends, which begins once a URL answers.

    Args:
        command: the program and its arguments.
        ready: a URL that answers with 200 once it is there.
        env: of the process; `None` for that of the tests.
    """
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,  # which ends with us, however we do
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(env) if env is not None else None,
    ) as process:
        try:
            _wait(process, ready)
            yield
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[str], ready: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(ready, timeout=30).status_code == 200:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            raise RuntimeError(process.communicate()[1])
        time.sleep(0.02)

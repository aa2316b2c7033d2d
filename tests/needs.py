"""What a test needs beside Python packages: without it, it is skipped; with `CI` set, it fails."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

CHROMIUM = next(
    (
        found
        for name in ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    "",
)
"""The browser of the system, or empty. The one that has no windows takes half the time."""
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def lacking(reason: str, *, whole_module: bool = False) -> NoReturn:
    """Skip the test, or the module that is being imported; where `CI` is set, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason, allow_module_level=whole_module)


def need_chromium() -> None:
    """Skip or fail where the system has no Chromium."""
    if not CHROMIUM:
        lacking("no chromium on the PATH: install your system's package")


def need_command(name: str) -> None:
    """Skip or fail where a command is not on the PATH."""
    if shutil.which(name) is None:
        lacking(f"no {name} on the PATH: install your system's package")

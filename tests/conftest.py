"""What every test may use: the event loop's kind, a real Redis, a browser. Folders add theirs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

pytest_plugins = [
    "tests.redis_server",
    "tests.redis_cluster",
    "tests.postgres_server",
    "tests.chromium",
    "tests.identity_providers.nanoidp",
    "tests.identity_providers.oidc_provider",
    "tests.databases",
    "pwless_middleware.pytest_plugin",
]

# Property tests try the same examples each time, so that a red run means a changed program.
# `HYPOTHESIS_PROFILE=deep` looks for new ones, for longer.
_calm = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "quick", derandomize=True, deadline=None, max_examples=100, suppress_health_check=_calm
)
settings.register_profile("deep", deadline=None, max_examples=5000, suppress_health_check=_calm)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Tests start hundreds of Python processes. What the first of them compiles is there for the others,
# also where the environment says that nothing is to be kept: it is half of a server's start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Files of tests are in memory where there is room: a write to a disk that others write to may take
# longer than the 1.2 s that a database gives it. Programs are started from there as well.
_MEMORY = Path("/dev/shm")
if _MEMORY.is_dir():
    _room = os.statvfs(_MEMORY)
    if _room.f_bavail * _room.f_frsize > 4 << 30 and not _room.f_flag & os.ST_NOEXEC:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# What is made while the tests are collected stays: to look through it for garbage is in vain.
_THRESHOLDS = gc.get_threshold()
gc.set_threshold(50_000, 20, 20)


def pytest_collection_finish() -> None:
    """Look for garbage as often as ever while tests run, but no more among the tests themselves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """With `-n auto`, have one process more than there are cores: servers and browsers are waited
    for a quarter of the time. `PYTEST_XDIST_AUTO_NUM_WORKERS` says otherwise.
    """
    cores = yield
    return cores if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") else cores + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """With `-n`, give each process whole files: a file's server, browser and order are its own.

    The longest folders come first by name, and the files after them even out the ends; xdist would
    begin with the files of the most tests, which are the cheapest. `--dist` says otherwise.
    """
    from xdist.scheduler import LoadFileScheduling

    if config.option.dist != "load":
        return None
    config.option.loadscopereorder = False
    return LoadFileScheduling(config, log)


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only, which is what redis-py and aiosmtplib run on."""
    return "asyncio"

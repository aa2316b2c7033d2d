"""What every test may use: the event loop's kind, a real Redis, a browser. Folders add theirs."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = [
    "tests.redis_server",
    "tests.redis_cluster",
    "tests.postgres_server",
    "tests.chromium",
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


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only, which is what redis-py and aiosmtplib run on."""
    return "asyncio"

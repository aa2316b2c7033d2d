"""What every test may use: the event loop's kind and a real Redis. Folders add theirs."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.redis_server"]


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only, which is what redis-py and aiosmtplib run on."""
    return "asyncio"

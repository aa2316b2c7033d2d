"""What every test may use: the event loop's kind. Parts add theirs in their own folders."""

from __future__ import annotations

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio only, which is what redis-py and aiosmtplib run on."""
    return "asyncio"

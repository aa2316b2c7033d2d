"""The options that every served app takes: what the harness put into the environment."""

from __future__ import annotations

import os
from typing import Any

from pwless_middleware import EmailLogin, Outbox, SendLimits

FOLDER = os.environ.get("PWLESS_TEST_FOLDER", ".")
"""A folder of this server's own."""


def options(**more: Any) -> dict[str, Any]:
    """Return the options, fresh, with `more` beside them."""
    return {
        "secret_key": "a key for tests, and for nothing else at all",
        "base_url": os.environ.get("PWLESS_TEST_BASE_URL", "http://localhost:8000")
        + os.environ.get("PWLESS_TEST_MOUNT", ""),
        "mailer": Outbox(),
        "features": (EmailLogin(send_limits=SendLimits(client_per_minute=200)),),
        **more,
    }

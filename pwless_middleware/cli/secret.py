"""`secret`: make a key."""

from __future__ import annotations

import argparse
import secrets
from typing import Any

KEY_BYTES = 32
"""As long as the hash of the HMAC that it keys (RFC 2104 §3)."""


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "secret",
        help="make a key",
        description="Print a fresh secret_key: 32 random bytes as base64url.",
    )
    parser.add_argument(
        "--api-key", action="store_true", help="print an API key (pwk_…) for api_keys instead"
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Print the key, and nothing else, so that a shell can catch it."""
    print(("pwk_" if options.api_key else "") + secrets.token_urlsafe(KEY_BYTES))
    return 0

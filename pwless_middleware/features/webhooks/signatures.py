"""Signatures as Standard Webhooks has them (standardwebhooks.com, specification 1.0).

What is signed is `id.timestamp.body`, by HMAC-SHA-256 under the webhook's secret. While a secret is
being replaced both sign, and the receiver takes either.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

_PREFIX: Final = "whsec_"
_BYTES: Final = 32  # the specification wants 24 to 64


def new_secret() -> bytes:
    """Return the bytes of a new secret."""
    return secrets.token_bytes(_BYTES)


def format_secret(secret: bytes) -> str:
    """Return a secret as whoever verifies by it is given it."""
    return _PREFIX + base64.b64encode(secret).decode()


def sign(keys: Sequence[bytes], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the header `webhook-signature`.

    Args:
        keys: the bytes of the secrets, the newest first.
        message_id: the header `webhook-id`.
        timestamp: the header `webhook-timestamp`, unix seconds.
        body: what is sent.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, signed, sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)

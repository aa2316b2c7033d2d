"""Tokens by which a customer's directory keeps the members of an organization (SCIM 2.0).

A token is of one connection, and shown once. What is kept is its digest: plain SHA-256, which 256
random bits need no more than (as of API keys, `core.operators.api_key`).
"""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256
from typing import Final

from pwless_middleware.core.keys.base64url import b64

TOKEN_PREFIX: Final = "pwscim_"  # noqa: S105 # how a token begins, not one


def new_token() -> str:
    """Return the text of a new token."""
    return TOKEN_PREFIX + b64(secrets.token_bytes(32))


def digest_of_token(token: str) -> bytes:
    """Return what is kept of a token."""
    return sha256(token.encode()).digest()


def matches(digest: bytes | None, token: str) -> bool:
    """Whether a text is the token of a digest; takes the same time for every text of a length.

    Args:
        digest: what is kept; `None` where there is none, and nothing matches.
        token: as it came; any text.
    """
    known = digest_of_token(TOKEN_PREFIX) if digest is None else digest
    is_same = hmac.compare_digest(known, sha256(token.encode("utf-8", "replace")).digest())
    return is_same and digest is not None

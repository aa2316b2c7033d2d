"""The lock under which a user's second factors change, with all that hangs on them."""

from __future__ import annotations


def lock_factors(user_id: str) -> list[str]:
    """Return the names that such a transaction locks (`database.base`)."""
    return [f"factors:{user_id}"]

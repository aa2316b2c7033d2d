"""What errors say to people."""

from __future__ import annotations

import pytest

from pwless_middleware.errors import RateLimited, TooManyAttempts


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (1, "1 second"),
        (90, "90 seconds"),
        (91, "2 minutes"),
        (5400, "90 minutes"),
        (5401, "2 hours"),
        (86400, "24 hours"),
    ],
)
def test_a_limit_says_how_long_it_lasts_and_never_too_little(seconds: int, words: str) -> None:
    assert str(RateLimited(seconds)).endswith(f"Try again in {words}.")


def test_a_wait_is_at_least_a_second() -> None:
    """`Retry-After: 0` would have a client come back in a loop."""
    assert RateLimited(0).retry_after == TooManyAttempts(-5).retry_after == 1

"""Time that the test makes."""

from __future__ import annotations

START = 1_800_000_000
"""Unix seconds at which each test begins, 15 January 2027, so that a test is the same every day."""


class Clock:
    """A clock that the test sets; give it as `clock=` to the middleware.

    Attributes:
        now: unix seconds, `START` at first; may be set.
    """

    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        """Return unix seconds."""
        return self.now

    def advance(self, seconds: int) -> None:
        """Let time pass; a negative number is a clock that was set back."""
        self.now += seconds

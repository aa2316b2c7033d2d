"""How long the store takes, told to who measures."""

from __future__ import annotations

from collections.abc import Callable

Measure = Callable[[str, float, bool], None]
"""Is told the verb, how many seconds it took, and whether there was an answer."""


class StoreTimes:
    """Pass on how long the store takes; costs nothing where nobody measures."""

    def __init__(self) -> None:
        self.measures: tuple[Measure, ...] = ()

    def subscribe(self, measure: Measure) -> None:
        """Have a function called after each question to the store; it must not block or raise."""
        self.measures += (measure,)

"""The times that the overview shows: which there are, and where their bars begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event_counters import DAY, HOUR, start_of
from pwless_middleware.text import Text


@dataclass(frozen=True, slots=True)
class Range:
    """A time that ends with the current hour or day.

    Attributes:
        title: in the list of ranges.
        before: says how many there were in the time before it, `n`.
        span: what one bar stands for.
        bars: how many there are.
    """

    title: Text
    before: Text
    span: Literal["hour", "day"]
    bars: int

    @property
    def step(self) -> int:
        """Seconds of one bar."""
        return HOUR if self.span == "hour" else DAY

    def starts(self, now: int) -> tuple[int, ...]:
        """Return the unix seconds at which the bars begin; the last one is the current one."""
        last = start_of(self.span, now)
        return tuple(last - (self.bars - 1 - n) * self.step for n in range(self.bars))


RANGES: Final[Mapping[str, Range]] = {
    "day": Range(Text("24 hours"), Text("%(n)s in the 24 hours before"), "hour", 24),
    "week": Range(Text("7 days"), Text("%(n)s in the 7 days before"), "day", 7),
    "month": Range(Text("30 days"), Text("%(n)s in the 30 days before"), "day", 30),
    "quarter": Range(Text("90 days"), Text("%(n)s in the 90 days before"), "day", 90),
}
"""Every range, by what the query says."""
USUAL: Final = "week"

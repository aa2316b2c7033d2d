"""The clock: whole unix seconds, and only such as records can hold.

Records keep a time in 32 bits, and so do the budgets of every store. A machine whose clock stands
before 1970 or near 2106 (an empty battery, a wrong unit) would write times that mean something
else; it is answered as if the store were down: 503, nobody in, nobody out, and the log says why.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from pwless_middleware.errors import ConfigError, StoreError

END = 2**32 - 500 * 86400
"""Times from here on are refused: what lives longest, a session of 400 days, has to end in time."""


def make_clock(clock: Callable[[], float] | None) -> Callable[[], int]:
    """Return a clock of whole seconds, which raises `StoreError` where records cannot hold them.

    Args:
        clock: returns unix seconds, whole or with fractions; `None` is the system's.

    Raises:
        ConfigError: it returns no number.
    """
    if clock is None:
        return _now
    first: object = clock()
    if isinstance(first, bool) or not isinstance(first, int | float) or not math.isfinite(first):
        raise ConfigError("clock", "set a callable that returns unix seconds, e.g. time.time")

    def now() -> int:
        seconds = int(clock())
        return seconds if 0 <= seconds < END else _refuse(seconds)

    return now


def _now() -> int:
    seconds = int(time.time())
    return seconds if 0 <= seconds < END else _refuse(seconds)


def _refuse(seconds: int) -> int:
    raise StoreError(f"the clock stands at {seconds}, outside 0 to {END} unix seconds: set it")

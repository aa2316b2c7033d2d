"""What is kept of the events, and for how long: an option of `Passwordless`."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.core.options.options import check_flag
from pwless_middleware.errors import ConfigError

DAY: Final = 86400
_MOST_DAYS: Final = 3660


@named_options()
@dataclass(frozen=True, slots=True, kw_only=True)
class EventRetention:
    """Set how long the database keeps events, and whether with the plain address.

    Args:
        days: after which an event is deleted; default 90, at most 3,660.
        count_days: after which the count of an hour is deleted; default 760, about 25 months, so
            that a month can be compared with the same one of last year.
        keep_addresses: keep the plain address beside its keyed digest (default). Off, you find an
            address's events only by typing that address.

    Raises:
        ConfigError: one of them is no such thing.
    """

    days: int = 90
    count_days: int = 760
    keep_addresses: bool = True

    def __post_init__(self) -> None:
        for option, value in (("days", self.days), ("count_days", self.count_days)):
            if type(value) is not int or not 1 <= value <= _MOST_DAYS:
                raise ConfigError(f"event_retention.{option}", f"set whole days, 1 to {_MOST_DAYS}")
        check_flag("event_retention.keep_addresses", self.keep_addresses)

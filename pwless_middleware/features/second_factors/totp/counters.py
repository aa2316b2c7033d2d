"""Which one-time passwords were used: each of them once (security rule 41)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pwless_middleware.features.second_factors.totp.codes import good_counters_before
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.stores.base import Writes

TTL: Final = 120
"""Seconds that a use is remembered; a code is good for 90 at most."""


class TOTPCounters:
    """Remember used codes, by their counters.

    Args:
        records: where.
        clock: gives unix seconds.
    """

    def __init__(self, records: Records, clock: Callable[[], int]) -> None:
        self._records = records
        self._clock = clock

    async def spend(self, factor_id: str, counter: int) -> bool:
        """Use a code, in one round trip; of any number of callers, one hears true.

        Raises:
            Unavailable: the store cannot be asked; it may be used.
        """
        return await self._records.add(f"{factor_id} {counter}", ttl=TTL)

    def spend_earlier(self, factor_id: str, counter: int) -> Writes:
        """Return the writes that use up what an app showed before: no code goes back in time."""
        earlier = good_counters_before(counter, now=self._clock())
        writes = [self._records.writes(f"{factor_id} {one}", b"", ttl=TTL) for one in earlier]
        return Writes(puts=tuple(put for one in writes for put in one.puts))

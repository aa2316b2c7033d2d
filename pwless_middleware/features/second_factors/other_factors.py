"""Second factors that another feature keeps: passkeys count as one too."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.web.offers import IsEnrolled, Offers


class OtherFactors:
    """Ask the other features what somebody has.

    Args:
        offers: of all features.
        ours: the methods that are not another feature's.
    """

    def __init__(self, offers: Offers, ours: Sequence[str]) -> None:
        self._offers = offers
        self._ours = frozenset(ours)

    @property
    def names(self) -> tuple[str, ...]:
        """The methods of all that somebody may have."""
        return tuple(name for name, _ in self._methods())

    async def of(self, user_id: str) -> tuple[str, ...]:
        """Return the methods of what a user has.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        has = [(name, await is_enrolled(user_id)) for name, is_enrolled in self._methods()]
        return tuple(name for name, is_there in has if is_there)

    def _methods(self) -> list[tuple[str, IsEnrolled]]:
        methods = [offered.method for offered in self._offers.steps]
        return [
            (method.name, method.is_enrolled)
            for method in methods
            if method.is_enrolled is not None and method.name not in self._ours
        ]

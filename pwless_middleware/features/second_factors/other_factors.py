"""Second factors that another feature keeps: passkeys count as one too."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.web.parts.offers import Offers
from pwless_middleware.web.parts.steps import IsEnrolled


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

    async def must_make(self, user_id: str) -> bool:
        """Whether a user has to make another feature's factor in their login.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        for offered in self._offers.steps:
            method = offered.method
            if method.is_required is None or method.name in self._ours or not method.is_required():
                continue
            if method.is_enrolled is not None and not await method.is_enrolled(user_id):
                return True
        return False

    def _methods(self) -> list[tuple[str, IsEnrolled]]:
        methods = [offered.method for offered in self._offers.steps]
        return [
            (method.name, method.is_enrolled)
            for method in methods
            if method.is_enrolled is not None and method.name not in self._ours
        ]

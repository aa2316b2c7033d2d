"""How what is written for an organization looks: asked of the one feature that knows them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class OrganizationLook:
    """How an organization's pages and mails look.

    Attributes:
        id: the organization's, by whichever key it was found.
        brand: what they are written under.
        language: the code of theirs, where a person has chosen none; empty for none.
        methods: the first factors that its login page offers
            (`core.organizations.policy.FIRST_FACTORS`); `None` offers all that there are.
    """

    id: str
    brand: Brand
    language: str = ""
    methods: frozenset[str] | None = None


LookOf = Callable[[str], Awaitable[OrganizationLook | None]]
"""Returns the look of an organization by its id or the host's own key, `None` where there is none
with it."""


class OrganizationLooks:
    """Find looks; none until a feature that knows organizations is mounted."""

    def __init__(self) -> None:
        self._ask: LookOf | None = None

    def bind(self, ask: LookOf) -> None:
        """Ask this from now on."""
        self._ask = ask

    async def of(self, key: str | None) -> OrganizationLook | None:
        """Return the look of an organization, or `None`.

        Args:
            key: its id, or the host's own key; empty or `None` is no organization.

        Raises:
            StoreError: it cannot be known.
        """
        return await self._ask(key) if self._ask is not None and key else None

    async def id_of(self, key: str | None) -> str | None:
        """Return the id of an organization; where there is none with a key, the key.

        Args:
            key: as of `of`.

        Raises:
            StoreError: as `of`.
        """
        look = await self.of(key)
        return key or None if look is None else look.id

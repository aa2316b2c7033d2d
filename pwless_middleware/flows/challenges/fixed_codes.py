"""Codes that are always the same, and whom they are for: what challenges ask about them.

Only test addresses have one (`features.email_login.test_addresses`, security rule 67).
"""

from __future__ import annotations

from dataclasses import field
from typing import Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import Challenge
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.flows.logins.proofs import Holds


@dataclass(frozen=True, slots=True)
class FixedCode:
    """What proves a challenge of a test address, in the place of what an email would hold.

    Attributes:
        code: bare, in the deployment's style; `None` where nothing does: the address has ended, or
            is not for this caller.
    """

    code: str | None = field(repr=False)


class FixedCodes(Protocol):
    """Know the test addresses. Every method raises `StoreError` where they cannot be known."""

    async def covers(self, address: Address) -> bool:
        """Whether it is one of them; then no email is sent."""
        ...

    async def find(self, challenge: Challenge, caller: Caller) -> FixedCode | None:
        """Return what proves a challenge; `None` for one of an address like any other."""
        ...

    async def find_link_token(self, text: str, caller: Caller) -> str | None:
        """Return the link token of a challenge that the caller holds, for a test address's link.

        Args:
            text: with that link, or its token, in it.
            caller: who presents it.
        """
        ...

    def holds(self, challenge: Challenge) -> Holds:
        """Return what says whether a test address is still there, once its session is written."""
        ...

    async def note_use(self, challenge: Challenge, caller: Caller) -> None:
        """Tell that a test address is about to sign somebody in."""
        ...

"""A change of address that somebody else has asked for, and that the new address has to confirm."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass

CONFIRM_SECONDS: Final = 72 * 3600
"""How long it can be confirmed: a weekend and a day, as an undo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRequest:
    """A change of address, as an operator or a server has asked for it.

    Attributes:
        id: 16 random bytes; the handle that confirms it is sealed from them, and stored nowhere.
        user_id: whose address it is; of one person one is open.
        old: the address that they have. With another one by then, it is void.
        new: the address that they get, once it is confirmed from there.
        by: who has asked for it.
        asked_at: unix seconds.
        language: the code of the language of the emails.
    """

    id: bytes = field(repr=False)
    user_id: str
    old: Address = field(repr=False)
    new: Address = field(repr=False)
    by: str
    asked_at: int
    language: str = ""

    @property
    def confirm_until(self) -> int:
        """Unix seconds until which it can be confirmed."""
        return self.asked_at + CONFIRM_SECONDS

    def is_open(self, now: int) -> bool:
        """Whether it can still be confirmed."""
        return now < self.confirm_until

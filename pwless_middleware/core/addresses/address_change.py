"""A change of a person's address, which can be undone for three days by who reads the old one."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass

UNDO_SECONDS: Final = 72 * 3600
"""How long a change can be undone, and the old address is nobody else's: a weekend and a day."""
CHANGE_ID_BYTES: Final = 16
"""128 random bits; the handle in the mail has a MAC of as many."""


@dataclass(frozen=True, slots=True)
class AddressChange:
    """A change of address, as it was made.

    Attributes:
        id: 16 random bytes; the handle that undoes it is sealed from them, and stored nowhere.
        user_id: whose address it was.
        old: the address before.
        new: the address since.
        changed_at: unix seconds.
        device: the browser that asked for it, in our closed vocabulary.
        language: the code of the language in which it was asked for.
        undone_at: unix seconds at which it was undone, by itself or with an earlier one; `None` if
            it was not.
    """

    id: bytes = field(repr=False)
    user_id: str
    old: Address = field(repr=False)
    new: Address = field(repr=False)
    changed_at: int
    device: str = ""
    language: str = ""
    undone_at: int | None = None

    @property
    def undo_until(self) -> int:
        """Unix seconds until which it can be undone."""
        return self.changed_at + UNDO_SECONDS

    def may_be_undone(self, now: int) -> bool:
        """Whether it can still be undone."""
        return self.undone_at is None and now < self.undo_until

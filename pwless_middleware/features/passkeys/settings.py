"""What of the passkeys an operator may set, and what holds now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.options import check_flag
from pwless_middleware.core.settings import Setting
from pwless_middleware.errors import ConfigError

MOST: Final = 10
"""Passkeys of one person, at most (security rule 34)."""


@dataclass(frozen=True, slots=True)
class PasskeyRules:
    """How passkeys behave now.

    Attributes:
        offer: whether a browser is offered one after a login without.
        required: whether nobody gets a session without one.
        max_per_user: how many one person has at most.
    """

    offer: bool
    required: bool
    max_per_user: int


SETTINGS: Final = (
    Setting(
        name="offer",
        meaning="After a login by email, a browser is offered a passkey.",
        kind="flag",
        default=True,
    ),
    Setting(
        name="required",
        meaning="Nobody is signed in without a passkey.",
        kind="flag",
        default=False,
        closed=True,
    ),
    Setting(
        name="max_per_user",
        meaning="Passkeys of one person, at most.",
        kind="number",
        default=MOST,
        least=1,
        most=MOST,
    ),
)


def make_rules(values: Mapping[str, object]) -> PasskeyRules:
    """Return the rules that hold with these values, by name as in `SETTINGS`.

    Raises:
        ConfigError: one is outside its range; it is named.
    """
    offer, required, most = (values[name] for name in ("offer", "required", "max_per_user"))
    check_flag("offer", offer)
    check_flag("required", required)
    if type(most) is not int or not 1 <= most <= MOST:
        raise ConfigError("max_per_user", f"set a whole number from 1 to {MOST}")
    return PasskeyRules(offer is True, required is True, most)

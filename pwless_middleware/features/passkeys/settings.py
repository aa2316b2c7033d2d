"""What of the passkeys an operator may set, and what holds now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.setting import Setting, less
from pwless_middleware.core.options.options import check_flag
from pwless_middleware.errors import ConfigError
from pwless_middleware.text import Text

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
        title=Text("Offer a passkey"),
        meaning=Text("After a login by email, a browser is offered a passkey."),
        kind="flag",
        default=True,
        effect=Text("Everybody without a passkey who signs in from then on."),
    ),
    Setting(
        name="required",
        title=Text("Passkey required"),
        meaning=Text("Nobody is signed in without a passkey."),
        kind="flag",
        default=False,
        closed=True,
        effect=Text("Everybody who signs in from then on; who is in stays in."),
        loosens=less,
        loosening=Text("People sign in without a passkey."),
    ),
    Setting(
        name="max_per_user",
        title=Text("Passkeys of a person"),
        meaning=Text("Passkeys of one person, at most."),
        kind="number",
        default=MOST,
        least=1,
        most=MOST,
        effect=Text("Whoever adds one from then on; nobody loses one."),
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

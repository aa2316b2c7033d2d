"""What can be chosen in a field of a form: one of several, or the unit of a duration."""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import UNITS
from pwless_middleware.text import Text

_UNIT_NAMES: Final = {
    "days": Text("days"),
    "hours": Text("hours"),
    "minutes": Text("minutes"),
    "seconds": Text("seconds"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of what can be chosen.

    Attributes:
        value: as the form sends it.
        text: in words.
        chosen: whether it is.
    """

    value: str
    text: str
    chosen: bool


def choose_unit(chosen: str) -> list[Choice]:
    """Return the units that a duration can be entered in, the greatest first, one of them chosen.

    Args:
        chosen: its name in `languages.times.UNITS`; another word chooses none.
    """
    return [
        Choice(value=name, text=translate(_UNIT_NAMES[name]), chosen=name == chosen)
        for name, _ in UNITS
    ]

"""Fields of a connection's configuration that connections of all kinds have, read strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.core.organizations.organization import ROLE_LENGTH
from pwless_middleware.text import Text

MOST_ROLES: Final = 50
"""Groups that are mapped to roles, at most."""
ONE_LINE: Final = re.compile(rf"[^{CONTROL}]{{1,255}}")
_ROLE: Final = re.compile(rf"[^{CONTROL}]{{0,{ROLE_LENGTH}}}")


class BadField(Exception):
    """The value of a field is none.

    Args:
        text: what is wrong with it, for who set it.
        constraint: what it does not keep to.
    """

    def __init__(self, text: str, constraint: str) -> None:
        super().__init__(text)
        self.text = text
        self.constraint = constraint


def text_like(pattern: re.Pattern[str], text: str) -> Callable[[object], str]:
    """Return what reads a text; it raises `BadField` for one that is otherwise.

    Args:
        pattern: what all of it has to be like, without the spaces around it.
        text: what is said where it is not.
    """

    def read(value: object) -> str:
        found = value.strip() if isinstance(value, str) else None
        if found is None or not pattern.fullmatch(found):
            raise BadField(text, "text")
        return found

    return read


def read_flag(value: object) -> bool:
    """Return what is on or off.

    Raises:
        BadField: it is neither.
    """
    if not isinstance(value, bool):
        raise BadField(Text("This is on or off."), "boolean")
    return value


def read_roles(value: object) -> tuple[tuple[str, str], ...]:
    """Return pairs of a group and its role; a mapping is taken, too.

    Raises:
        BadField: they are none, or too many.
    """
    pairs = list(value.items()) if isinstance(value, Mapping) else value
    bad = BadField(Text("Give each group a role of at most 64 characters."), f"<={MOST_ROLES}")
    if not isinstance(pairs, list | tuple) or len(pairs) > MOST_ROLES:
        raise bad
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise bad
        if not (isinstance(pair[0], str) and isinstance(pair[1], str)):
            raise bad
        if not (ONE_LINE.fullmatch(pair[0]) and _ROLE.fullmatch(pair[1])):
            raise bad
    return tuple((group, role) for group, role in pairs)


read_role: Final = text_like(_ROLE, Text("A role has at most 64 characters."))
"""Returns the role of who is in no group."""

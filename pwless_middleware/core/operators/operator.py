"""Operators: who may use the dashboard, and how much of it.

A role holds everything that the roles before it hold. `view` looks at all pages; `support` also
acts on people and takes exports away; `admin` also changes what holds for everybody: settings,
templates, keys, operators.
"""

from __future__ import annotations

from typing import Final, Literal

Role = Literal["view", "support", "admin"]
"""What an operator may do."""

ROLES: Final[tuple[Role, ...]] = ("view", "support", "admin")
"""All roles, from the least to the most."""


def covers(role: Role, wanted: Role) -> bool:
    """Whether a role holds all that another one does."""
    return ROLES.index(role) >= ROLES.index(wanted)


def greater_role(one: Role | None, other: Role | None) -> Role | None:
    """Return the role that holds more; `None` is less than any."""
    if one is None or other is None:
        return one or other
    return one if covers(one, other) else other

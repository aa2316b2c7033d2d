"""Who speaks: a user, or nobody in particular."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class User:
    """Stand for a person with a proven address. Subclass it to carry more.

    Attributes:
        id: the stable id in your own table, as text; never empty.
        email: the address as your table has it.
        is_new: true in the login that created the user, and only there.
        name: what to call the person; `None` uses the address.
    """

    id: str
    email: str
    is_new: bool = False
    name: str | None = None

    @property
    def is_authenticated(self) -> Literal[True]:
        """Always true; the anonymous user's is false."""
        return True

    @property
    def display_name(self) -> str:
        """The name, or the address where there is none (Starlette's user interface)."""
        return self.name or self.email

    @property
    def identity(self) -> str:
        """The id (Starlette's user interface)."""
        return self.id


@dataclass(frozen=True)
class AnonymousUser:
    """Stand for a request without a session. Everything about it is empty, never `None`."""

    id: str = ""
    email: str = ""
    is_new: bool = False
    display_name: str = ""
    identity: str = ""

    @property
    def is_authenticated(self) -> Literal[False]:
        """Always false."""
        return False


ANONYMOUS = AnonymousUser()

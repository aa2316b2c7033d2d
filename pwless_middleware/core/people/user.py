"""The user of a request, and the anonymous user."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from typing import Literal, NewType
from uuid import UUID

UserId = NewType("UserId", str)
"""The id of a user, where it must not be taken for an address."""


@dataclass(frozen=True)
class User:
    """A person with a proven address. Subclass it to carry more.

    Attributes:
        id: the stable id in your own table; a number or UUID is kept as text.
        email: the address as your table has it.
        is_new: true in the login that created the user, and only there.
        display_name: what to call the person; if empty, the address.
        language: the code of the language that the person has chosen, e.g. `de`; empty for none.
            Pages and mails are then in it, where the deployment has it.
        role: the person's role in the session's organization, a text for your app to read; empty
            outside one.

    Raises:
        ValueError: the id is empty, or neither text, a number nor a UUID.
    """

    id: str
    email: str = field(repr=False)
    is_new: bool = False
    display_name: str = field(default="", repr=False)
    language: str = ""
    role: str = ""

    def __post_init__(self) -> None:
        given: object = self.id
        id = id_text(given)
        if not id:
            raise ValueError("a user needs an id: the stable one of your own table, as text")
        if id is not given:
            object.__setattr__(self, "id", id)
        if not self.display_name:
            object.__setattr__(self, "display_name", self.email)

    @property
    def is_authenticated(self) -> Literal[True]:
        """Always true; the anonymous user's is false."""
        return True

    @property
    def identity(self) -> str:
        """The id (Starlette's user interface)."""
        return self.id


def id_text(given: object) -> str | None:
    """Return the id of a user as text, as `User` keeps it; `None` for what can be no id.

    Args:
        given: text, or a number or UUID, as tables have them.
    """
    if isinstance(given, str):
        return given
    is_key = isinstance(given, int | UUID) and not isinstance(given, bool)
    return str(given) if is_key else None


def change_user(user: User, *, is_new: bool | None = None, role: str | None = None) -> User:
    """Return a user with what only we know of them; `None` leaves it.

    A host's subclass need not be made by the names of our fields (`dataclasses.replace`): all of
    its own stays as it is.
    """
    changed = copy(user)
    for name, value in (("is_new", is_new), ("role", role)):
        if value is not None:
            object.__setattr__(changed, name, value)
    return changed


@dataclass(frozen=True)
class AnonymousUser:
    """The user of a request without a session. Everything about it is empty, never `None`.

    Attributes:
        id, email, display_name, identity, role: empty.
        is_new: false.
    """

    id: str = ""
    email: str = ""
    is_new: bool = False
    display_name: str = ""
    identity: str = ""
    role: str = ""

    @property
    def is_authenticated(self) -> Literal[False]:
        """Always false."""
        return False


ANONYMOUS = AnonymousUser()

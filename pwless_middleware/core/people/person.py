"""A person whom the database keeps: what is known of a user where the host has no table."""

from __future__ import annotations

import re
from dataclasses import field, fields

from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.people.user import User

MAX_NAME = 100
"""Characters of a name, at most."""

_UNSEEN = re.compile(f"[{CONTROL}{LINE_ENDS}{BIDI}]")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person stands among all, by when they came; what a page of people begins behind.

    Attributes:
        created_at: unix seconds.
        id: the person's, since several may come in one second.
    """

    created_at: int
    id: str


@dataclass(frozen=True, slots=True)
class Person:
    """One row about a user.

    Attributes:
        id: the user's id, which never changes.
        email: the canonical address, nobody else's. Empty where the host's own table has it, and
            only what hangs on the id is kept here.
        name: what to call the person; empty for none.
        language: the code of the language that the person has chosen; empty for none.
        created_at: unix seconds.
        seen_at: unix seconds of use, at most some hours old; `None` before the first login.
        disabled_at: unix seconds since when nobody can sign in as this person; `None` if they can.
    """

    id: str
    email: str = field(repr=False)
    name: str = field(default="", repr=False)
    language: str = ""
    created_at: int = 0
    seen_at: int | None = None
    disabled_at: int | None = None

    @property
    def is_disabled(self) -> bool:
        """Whether nobody can sign in as this person."""
        return self.disabled_at is not None

    @property
    def place(self) -> Place:
        """Where the person stands among all, by when they came."""
        return Place(self.created_at, self.id)

    def as_user(self, *, is_new: bool = False) -> User:
        """Return the person as the app behind the login sees them.

        Args:
            is_new: whether this login made the person.
        """
        return User(
            id=self.id,
            email=self.email,
            is_new=is_new,
            display_name=self.name,
            language=self.language,
        )

    def to_dict(self) -> dict[str, object]:
        """Return all there is to know, ready for JSON."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def parse_name(text: str) -> str | None:
    """Return a name as it is kept, outer spaces trimmed; empty for none.

    Returns:
        `None` if it is longer than `MAX_NAME`, or holds what breaks a line or turns the order of
        what follows it: a name stands on pages beside others.
    """
    text = text.strip()
    return None if len(text) > MAX_NAME or _UNSEEN.search(text) else text

"""What features show of a person on the dashboard's page of them (`Mounted.person_parts`).

A part looks by itself, and so do the routes that its forms go to: they stand below the person's
page, ask `kit.operators` first, and `web.gates.person_gate` for the person.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import Final
from urllib.parse import quote

from starlette.requests import Request

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.operator import Role
from pwless_middleware.text import Text

PEOPLE_PATH: Final = "/dashboard/people"
"""Where the dashboard lists people, below the prefix."""
PERSON_PATH: Final = f"{PEOPLE_PATH}/{{id}}"
"""The path of one person's page, as a route has it; what can be done to them stands below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPerson:
    """A person, as an operator sees them.

    Attributes:
        id: the user's id.
        email: the address; empty where the host's table has nobody with this id.
        name: what they are called; empty for nothing.
        language: the code of theirs; empty for none.
        created_at: unix seconds; `None` where the host's table has the people.
        seen_at: unix seconds of use, some hours old at most; `None` for never, or not known.
        disabled_at: unix seconds since when nobody can sign in as them; `None` if they can.
        role: theirs, if they are an operator; else `None`.
        may_act: whether the operator may do anything to them.
        why_not: why an operator whose role allows that may not; `None` for no such reason.
    """

    id: str
    email: str = field(repr=False)
    name: str = field(default="", repr=False)
    language: str = ""
    created_at: int | None = None
    seen_at: int | None = None
    disabled_at: int | None = None
    role: Role | None = None
    may_act: bool = False
    why_not: Text | None = None

    @property
    def path(self) -> str:
        """Where their page is, below the prefix."""
        return person_path(self.id)

    @property
    def is_disabled(self) -> bool:
        """Whether nobody can sign in as them."""
        return self.disabled_at is not None

    @property
    def title(self) -> str:
        """What to call them above a page."""
        return self.name or self.email or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPart:
    """What a feature shows of a person, on the dashboard's page of them.

    Attributes:
        title: above it, e.g. `Passkeys`.
        template: shows it. It is given what `show` returns, and `person`, a `ShownPerson`.
        show: returns the template's values, from the request and the person; `None` where there
            is nothing to show.
        done: what the page says after a form of the part has done its work: the word that its
            route leads back with, in `?done=`, to the sentence.
        order: where it stands; lower comes first.
        resets_factors: whether it resets all that somebody proves themselves by, of whichever
            feature (`Mounted.on_factors_reset`). Then no other part removes its own, past the time
            in which the person can object.
    """

    title: str
    template: str
    show: Callable[[Request, ShownPerson], Awaitable[Mapping[str, object] | None]]
    done: Mapping[str, Text] = field(default_factory=dict)
    order: int = 100
    resets_factors: bool = False


def person_path(user_id: str) -> str:
    """Return the path of a person's page, below the prefix."""
    return f"{PEOPLE_PATH}/{quote(user_id, safe='')}"


def has_page(user_id: str) -> bool:
    """Whether a path can have this id: one of the host's own may hold a slash."""
    return "/" not in user_id and "\\" not in user_id and user_id not in (".", "..")

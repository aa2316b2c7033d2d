"""What organizations, roles and pages of them may be given; each fault is told with its field."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.core.organizations.organization import ID_PREFIX, NAME_LENGTH, ROLE_LENGTH
from pwless_middleware.errors import ConfigError, InvalidArgument, NotFound
from pwless_middleware.text import Text

MOST: Final = 1_000
"""Rows of one page, at most."""
NO_ORGANIZATION: Final = Text("There is no such organization.")
STALE: Final = Text("Somebody has changed this meanwhile. This is how it is now.")

_SPACES: Final = re.compile("[\u00a0\u2007\u202f]")
_UNSEEN: Final = re.compile(f"[{CONTROL}{LINE_ENDS}{BIDI}]")


def check_name(name: str, *, field: str = "name") -> str:
    """Return a name, outer spaces trimmed, and those that do not break a line as usual ones.

    Pages and mails are written under it, as under a `Brand`.

    Raises:
        InvalidArgument: it is empty, too long, not one line, or has what nobody sees.
    """
    name = _SPACES.sub(" ", name).strip()
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        problem = Text(
            "Send %(least)s to %(most)s characters, in one line.", least=1, most=NAME_LENGTH
        )
        raise InvalidArgument.of(field, problem, "name")
    return name


def check_external_id(external_id: str | None, *, field: str = "external_id") -> str | None:
    """Return the host's own key of an organization, or a directory's of a member; empty is `None`.

    Raises:
        InvalidArgument: it is too long, not printable, or looks like one of our ids.
    """
    if not external_id:
        return None
    if len(external_id) > NAME_LENGTH or not external_id.isprintable():
        problem = Text("Send at most %(most)s characters, in one line.", most=NAME_LENGTH)
        raise InvalidArgument.of(field, problem, "length")
    if external_id.startswith(ID_PREFIX):
        problem = Text("A key of your own does not begin with %(prefix)s.", prefix=ID_PREFIX)
        raise InvalidArgument.of(field, problem, "prefix")
    return external_id


def check_role(role: str) -> str:
    """Return a role; empty is none.

    Raises:
        InvalidArgument: it is too long, or not one line.
    """
    if len(role) > ROLE_LENGTH or _UNSEEN.search(role):
        problem = Text("Send at most %(most)s characters, in one line.", most=ROLE_LENGTH)
        raise InvalidArgument.of("role", problem, "role")
    return role


def check_look(logo: str | None, color: str | None) -> tuple[str | None, str | None]:
    """Return a logo and a color as a brand has them; empty is `None`.

    Raises:
        InvalidArgument: one is none.
    """
    logo, color = logo or None, color or None
    try:
        Brand("x", logo=logo, color=color)
    except ConfigError as error:
        field = error.option.removeprefix("brand.")
        raise InvalidArgument.of(field, error.problem, field) from None
    return logo, color


def check_limit(limit: int, *, most: int = MOST) -> int:
    """Return how many rows a page has.

    Raises:
        InvalidArgument: it is none, or too many.
    """
    if type(limit) is not int or not 1 <= limit <= most:
        problem = Text("Send %(least)s to %(most)s.", least=1, most=most)
        raise InvalidArgument.of("limit", problem, "range")
    return limit


def check_by(by: str) -> str:
    """Return who changes something, for its event.

    Raises:
        InvalidArgument: it is empty or too long.
    """
    if not isinstance(by, str) or not 1 <= len(by) <= 100 or not by.isprintable():
        problem = Text("Say in %(least)s to %(most)s characters who does it.", least=1, most=100)
        raise InvalidArgument.of("by", problem, "by")
    return by


def refuse_place() -> NoReturn:
    """Refuse a page that begins behind something that is gone.

    Raises:
        InvalidArgument: always.
    """
    problem = Text("What this page begins behind is gone. Begin with the first page.")
    raise InvalidArgument.of("after", problem, "gone")


def refuse_stale() -> NoReturn:
    """Refuse a change of what somebody else has changed.

    Raises:
        InvalidArgument: always.
    """
    raise InvalidArgument.of("version", STALE, "version")


def refuse_organization() -> NoReturn:
    """Refuse what is asked of an organization that is not there.

    Raises:
        NotFound: always.
    """
    raise NotFound(NO_ORGANIZATION)

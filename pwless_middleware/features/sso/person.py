"""A person, as an identity provider describes them, by whichever protocol."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.session import LONGEST

MOST_GROUPS: Final = 1000
"""Of a person that are read."""
NAME_LENGTH: Final = 100
_GROUP_LENGTH: Final = 256
_INVISIBLE: Final = re.compile(f"[{CONTROL}{LINE_ENDS}{BIDI}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPerson:
    """A person, as a provider describes them.

    Attributes:
        subject: who, for this provider, for ever.
        email: the address; `None` where it says none, or none that can be used.
        is_email_verified: whether it says that the address is verified; `None` where it says
            nothing of that.
        name: for people; empty for none.
        groups: as it names them.
        has_mfa: whether it says that it has asked for a second factor.
        authenticated_at: when the person has signed in there, unix seconds; `None` where it does
            not say.
        claims: all that it says, for the test of a connection.
    """

    subject: str = field(repr=False)
    email: Address | None = field(default=None, repr=False)
    is_email_verified: bool | None = None
    name: str = field(default="", repr=False)
    groups: tuple[str, ...] = ()
    has_mfa: bool = False
    authenticated_at: int | None = None
    claims: Mapping[str, object] = field(default_factory=dict, repr=False)


def proven_at(person: ProviderPerson, *, now: int) -> int:
    """Return when somebody has proven to the provider who they are, in unix seconds.

    Who is signed in there comes from there at the press of a button. That is a login, and no fresh
    proof: whoever sits at somebody else's browser has one as well. A provider that does not say
    when it was is taken to have asked.

    Args:
        person: who has come.
        now: unix seconds.
    """
    at = now if person.authenticated_at is None else person.authenticated_at
    return min(now, max(at, now - LONGEST))


def clean_name(text: str) -> str:
    """Return a name as people may read it: one line, of a bounded length."""
    return " ".join(_INVISIBLE.sub(" ", text).split())[:NAME_LENGTH]


def clean_groups(names: Sequence[object]) -> tuple[str, ...]:
    """Return the groups that are read: texts of a bounded length, and a bounded number."""
    texts = (one for one in names[:MOST_GROUPS] if isinstance(one, str))
    return tuple(one for one in texts if 0 < len(one) <= _GROUP_LENGTH)


def role_of(
    groups: Iterable[str], roles: Iterable[tuple[str, str]], default: str | None
) -> str | None:
    """Return the role that a person's groups give them; `None` leaves it as it is.

    Args:
        groups: of the person.
        roles: pairs of a group and a role; the first counts that names a group of the person.
        default: the role of who is in none of them.
    """
    there = frozenset(groups)
    return next((role for group, role in roles if group in there), default)

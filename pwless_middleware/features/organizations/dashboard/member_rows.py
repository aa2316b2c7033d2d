"""Members as the dashboard lists them: with their address, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.organization import Member, Origin
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_ago, format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.parts.person_parts import has_page, person_path

ORIGINS: Final[Mapping[Origin, Text]] = {
    "invitation": Text("Invitation"),
    "domain": Text("Verified domain"),
    "sso": Text("The company’s login"),
    "scim": Text("Directory (SCIM)"),
    "api": Text("Your code"),
    "operator": Text("An operator"),
}
"""How somebody has become a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A member as they are listed.

    Attributes:
        user_id: whose.
        name: the address, or the id of who has none.
        path: of the person's page, below the prefix; empty where no path can have their id.
        query: leads to the member's page.
        role: theirs; empty for none.
        origin: how they came in, in words.
        is_active: whether they may enter.
        created_at, created_iso: since when they are one.
    """

    user_id: str
    name: str
    path: str
    query: str
    role: str
    origin: str
    is_active: bool
    created_at: str
    created_iso: str

    @classmethod
    def of(cls, member: Member, email: str, now: int) -> MemberRow:
        """Return a member as they are listed, with the address that they have now."""
        id = member.user_id
        return cls(
            user_id=id,
            name=email or id,
            path=person_path(id) if has_page(id) else "",
            query=f"?{urlencode({'user': id})}",
            role=member.role,
            origin=translate(ORIGINS[member.origin]),
            is_active=member.is_active,
            created_at=format_ago(member.created_at, now),
            created_iso=format_iso(member.created_at),
        )

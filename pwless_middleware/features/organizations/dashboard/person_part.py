"""Where somebody is a member, on the dashboard's page of them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.organization import Member, Organization
from pwless_middleware.features.organizations.dashboard.member_rows import ORIGINS
from pwless_middleware.features.organizations.dashboard.members import TAB as MEMBERS
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_ago, format_iso
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import organization_path
from pwless_middleware.web.parts.person_parts import PersonPart, ShownPerson


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRow:
    """An organization of a person as it is listed.

    Attributes:
        name: the organization's.
        path: of its page, below the prefix.
        member_path: of the person's page in it.
        role, origin: as what they are there, and how they came in.
        is_active: whether they may enter.
        created_at, created_iso: since when they are a member.
    """

    name: str
    path: str
    member_path: str
    role: str
    origin: str
    is_active: bool
    created_at: str
    created_iso: str

    @classmethod
    def of(cls, member: Member, organization: Organization, now: int) -> MembershipRow:
        """Return a membership as it is listed."""
        query = urlencode({"user": member.user_id})
        return cls(
            name=organization.name,
            path=organization_path(organization.id),
            member_path=f"{organization_path(organization.id, MEMBERS)}/one?{query}",
            role=member.role,
            origin=translate(ORIGINS[member.origin]),
            is_active=member.is_active,
            created_at=format_ago(member.created_at, now),
            created_iso=format_iso(member.created_at),
        )


class MembershipPart:
    """Show where somebody is a member.

    Args:
        kit: the feature's.
        floor: knows members.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.part = PersonPart(
            title=Text("Organizations"),
            template="dashboard/organizations/person.html",
            show=self.show,
            order=50,
        )

    async def show(self, request: Request, person: ShownPerson) -> Mapping[str, object]:
        """Return the organizations, by name."""
        members = {one.organization: one for one in await self._floor.members.list_of(person.id)}
        found = await self._floor.organizations.find_several(members) if members else ()
        now = self._kit.clock()
        return {"rows": [MembershipRow.of(members[one.id], one, now) for one in found]}

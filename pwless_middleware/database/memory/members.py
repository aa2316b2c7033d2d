"""Members of organizations in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import Member
from pwless_middleware.database.memory.organization_rows import OrganizationRows
from pwless_middleware.database.organizations.members import MOST, MemberChange


class MemoryMembers:
    """Keep members in this process (`database.organizations.members.MemberRepository`).

    Args:
        rows: shared with their organizations.
    """

    def __init__(self, rows: OrganizationRows) -> None:
        self._rows = rows

    async def find(self, organization: str, user_id: str) -> Member | None:
        """Return a person as a member, or `None`."""
        return self._rows.members.get((organization, user_id))

    async def find_by_external_id(self, organization: str, external_id: str) -> Member | None:
        """Return the member whom a directory knows by this id, or `None`."""
        found = (one for key, one in self._rows.members.items() if key[0] == organization)
        return next((one for one in found if one.external_id == external_id), None)

    async def list(
        self, organization: str, *, after: str = "", limit: int = 50
    ) -> Sequence[Member]:
        """Return members of an organization, by user id."""
        found = [one for key, one in sorted(self._rows.members.items()) if key[0] == organization]
        return [one for one in found if one.user_id > after][:limit]

    async def list_of(self, user_id: str) -> Sequence[Member]:
        """Return a person as a member of all organizations."""
        return [one for key, one in sorted(self._rows.members.items()) if key[1] == user_id]

    async def count(self, organization: str) -> int:
        """Return how many members an organization has."""
        return sum(key[0] == organization for key in self._rows.members)

    async def put(
        self, member: Member, *, seen: Member | None, audit: Event | None = None
    ) -> MemberChange:
        """Keep a member in the place of what was seen."""
        key = member.organization, member.user_id
        if self._rows.members.get(key) != seen:
            return "stale"
        if seen is None:
            if member.organization not in self._rows.organizations:
                return "gone"
            if await self._rows.is_disabled(member.user_id):
                return "disabled"
            if len(await self.list_of(member.user_id)) >= MOST:
                return "full"
        if member.external_id is not None:
            other = await self.find_by_external_id(member.organization, member.external_id)
            if other is not None and other.user_id != member.user_id:
                return "taken"
        self._rows.members[key] = member
        self._rows.tell(audit)
        return "done"

    async def remove(self, organization: str, user_id: str, *, audit: Event | None = None) -> bool:
        """Forget a member."""
        if self._rows.members.pop((organization, user_id), None) is None:
            return False
        self._rows.tell(audit)
        return True

    async def erase(self, user_id: str) -> None:
        """Forget a person as a member of all organizations."""
        for one in await self.list_of(user_id):
            del self._rows.members[one.organization, user_id]

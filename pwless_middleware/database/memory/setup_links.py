"""Set-up links in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import SetupLink
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.organization_rows import OrganizationRows
from pwless_middleware.database.organizations.setup_links import MOST, SetupLinkAdded


class MemorySetupLinks:
    """Keep set-up links as long as the process lives
    (`database.organizations.setup_links.SetupLinkRepository`).

    Args:
        rows: shared with their organizations.
    """

    def __init__(self, rows: OrganizationRows) -> None:
        self._rows = rows

    async def find(self, id: str) -> SetupLink | None:
        """Return the link with this id, or `None`."""
        return self._rows.setup_links.get(id)

    async def list(self, organization: str) -> Sequence[SetupLink]:
        """Return all links of an organization, the newest first."""
        found = [one for one in self._rows.setup_links.values() if one.organization == organization]
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)

    async def add(self, link: SetupLink, *, audit: Event | None = None) -> SetupLinkAdded:
        """Keep a link."""
        if link.organization not in self._rows.organizations:
            return "gone"
        links = await self.list(link.organization)
        over = [one for one in links if one.expires_at <= link.created_at]
        if len(links) >= MOST:
            for one in over:
                del self._rows.setup_links[one.id]
            if not over:
                return "full"
        self._rows.setup_links[link.id] = link
        self._rows.tell(audit)
        return "added"

    async def open(self, id: str, *, at: int, audit: Event | None = None) -> SetupLink | None:
        """Open a link, once."""
        there = self._rows.setup_links.get(id)
        if there is None or there.opened_at is not None or there.expires_at <= at:
            return None
        return self._put(replace(there, opened_at=at), audit)

    async def finish(self, id: str, *, at: int, audit: Event | None = None) -> bool:
        """Note that all is set up by a link that was opened."""
        there = self._rows.setup_links.get(id)
        if there is None or there.opened_at is None or there.finished_at is not None:
            return False
        self._put(replace(there, finished_at=at), audit)
        return True

    async def revoke(self, organization: str, id: str, *, audit: Event | None = None) -> bool:
        """Forget a link, opened or not."""
        there = self._rows.setup_links.get(id)
        if there is None or there.organization != organization:
            return False
        del self._rows.setup_links[id]
        self._rows.tell(audit)
        return True

    async def erase(self, user_id: str) -> None:
        """Forget who has made links, where it was this person."""
        stand_in = f"operator:{new_stand_in()}"
        for id, one in self._rows.setup_links.items():
            if one.by == f"operator:{user_id}":
                self._rows.setup_links[id] = replace(one, by=stand_in)

    def _put(self, link: SetupLink, audit: Event | None) -> SetupLink:
        self._rows.setup_links[link.id] = link
        self._rows.tell(audit)
        return link

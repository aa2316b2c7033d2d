"""Mail domains of organizations, claimed, verified and given up (security rule 54)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.domain_name import parse_domain
from pwless_middleware.core.organizations.organization import Domain
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.organizations.checks import check_by, refuse_organization
from pwless_middleware.flows.organizations.directory import Directory
from pwless_middleware.flows.organizations.domain_names import check_domain
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.organizations.domains import DomainRepository

NO_DOMAIN: Final = Text("The organization has no such domain.")
_TAKEN: Final = Text("Another organization has verified this domain.")
_FULL: Final = Text("The organization has too many domains.")


class Domains:
    """Find and change domains.

    Args:
        repository: keeps them.
        directory: is told of changes.
        events: records them.
        clock: returns unix seconds.
    """

    def __init__(
        self,
        repository: DomainRepository,
        directory: Directory,
        events: Events,
        clock: Callable[[], int],
    ) -> None:
        self._domains = repository
        self._directory = directory
        self._events = events
        self._clock = clock

    async def find(self, organization: str, name: str) -> Domain | None:
        """Return a domain of an organization, verified or not, or `None`.

        Args:
            organization: its id.
            name: as somebody typed it.

        Raises:
            StoreError: the database cannot be asked.
        """
        domain = parse_domain(name)
        return None if domain is None else await self._domains.find(organization, domain)

    async def require(self, organization: str, name: str) -> Domain:
        """Return a domain of an organization, verified or not.

        Raises:
            NotFound: it has none of this name.
            StoreError: the database cannot be asked.
        """
        found = await self.find(organization, name)
        if found is None:
            raise NotFound(NO_DOMAIN)
        return found

    async def list(self, organization: str) -> Sequence[Domain]:
        """Return all domains of an organization, by name.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._domains.list(organization)

    async def list_claims(self, prefix: str, *, limit: int = 50) -> Sequence[Domain]:
        """Return domains of all organizations whose names begin so, by name.

        Args:
            prefix: lower-case; what is no begin of a name finds nothing.
            limit: how many at most.

        Raises:
            StoreError: the database cannot be asked.
        """
        if not prefix.isascii() or not prefix.isprintable():
            return ()
        return await self._domains.list_claims(prefix, limit=limit)

    async def list_verified(self, *, after: str = "", limit: int = 100) -> Sequence[Domain]:
        """Return the verified domains of all organizations, by name.

        Args:
            after: the name of the last one of the page before; empty begins.
            limit: how many at most.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._domains.list_verified(after=after, limit=limit)

    async def list_failing(self, *, limit: int = 20) -> Sequence[Domain]:
        """Return verified domains whose DNS records are not found, the longest missing first.

        Args:
            limit: how many at most.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._domains.list_failing(limit=limit)

    async def claim(self, organization: str, name: str, *, by: str = "python") -> Domain:
        """Keep that an organization says a domain is its own, with the token for its DNS.

        It binds nobody until it is verified. A domain that is there already stays as it is.

        Args:
            organization: its id.
            name: as somebody typed it.
            by: who does it.

        Raises:
            InvalidArgument: it is no domain, or nobody's own, or the organization has too many.
            NotFound: there is no such organization.
            StoreError: the database cannot be asked.
        """
        domain = Domain(
            name=await check_domain(name),
            organization=organization,
            token=secrets.token_urlsafe(24),
            created_at=self._clock(),
        )
        audit = self._events.make(
            "domain.added",
            by=check_by(by),
            organization=organization,
            details={"domain": domain.name},
        )
        added = await self._domains.add(domain, audit=audit)
        if added == "gone":
            refuse_organization()
        if added == "full":
            raise InvalidArgument.of("domain", _FULL, "most")
        if added == "known":
            return await self.require(organization, domain.name)
        self._events.publish(audit)
        return domain

    async def mark_verified(
        self, organization: str, name: str, *, has_record: bool = False, by: str = "python"
    ) -> Domain:
        """Have a domain be an organization's own, from now on in every process.

        Args:
            organization: its id.
            name: as somebody typed it.
            has_record: whether its DNS record was found, which is looked for every day from then
                on; else (default) a person knows it, and nobody is warned that there is none.
            by: who does it.

        Raises:
            InvalidArgument: another organization has verified it.
            NotFound: the organization has none of this name.
            StoreError: the database cannot be asked; or other processes cannot be told, and hold
                on for 30 more seconds at most: do it again.
        """
        domain = await self.require(organization, name)
        audit = self._events.make(
            "domain.verified",
            by=check_by(by),
            organization=organization,
            details={"domain": domain.name},
        )
        verified = await self._domains.verify(
            organization, domain.name, at=self._clock(), has_record=has_record, audit=audit
        )
        if verified == "gone":
            raise NotFound(NO_DOMAIN)
        if verified == "taken":
            raise InvalidArgument.of("domain", _TAKEN, "taken")
        if domain.verified_at is None:
            self._events.publish(audit)
        await self._directory.tell_owner(domain.name)
        return await self.require(organization, domain.name)

    async def note_check(
        self, organization: str, name: str, *, is_there: bool, by: str = "python"
    ) -> Domain:
        """Note whether the DNS record of a domain was found; a verified one stays verified.

        Args:
            organization: its id.
            name: canonical.
            is_there: whether it was found.
            by: who looked.

        Raises:
            NotFound: the organization has none of this name.
            StoreError: the database cannot be asked.
        """
        before = await self.require(organization, name)
        audit = self._events.make(
            "domain.found" if is_there else "domain.missing",
            by=check_by(by),
            organization=organization,
            details={"domain": before.name},
        )
        after = await self._domains.note_check(
            organization, before.name, at=self._clock(), is_there=is_there, audit=audit
        )
        if after is None:
            raise NotFound(NO_DOMAIN)
        if (before.failing_since is None) != (after.failing_since is None):
            self._events.publish(audit)
        return after

    async def remove(self, organization: str, name: str, *, by: str = "python") -> None:
        """Have a domain be an organization's own no more, from now on in every process.

        Args:
            organization: its id.
            name: as somebody typed it.
            by: who does it.

        Raises:
            NotFound, StoreError: as for `mark_verified`.
        """
        domain = await self.require(organization, name)
        audit = self._events.make(
            "domain.removed",
            by=check_by(by),
            organization=organization,
            details={"domain": domain.name},
        )
        if not await self._domains.remove(organization, domain.name, audit=audit):
            raise NotFound(NO_DOMAIN)
        self._events.publish(audit)
        await self._directory.tell_owner(domain.name)

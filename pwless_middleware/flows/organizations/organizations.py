"""Organizations, made and changed: checked, versioned, each change with its event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.organizations.organization import ID_PREFIX, Organization, new_id
from pwless_middleware.core.organizations.policy import ANYTHING, Policy
from pwless_middleware.core.organizations.policy_json import FIELDS, find_contradictions
from pwless_middleware.errors import FieldViolation, InvalidArgument
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.logins.policies import Policies
from pwless_middleware.flows.organizations.break_glass import BreakGlass
from pwless_middleware.flows.organizations.checks import (
    check_by,
    check_external_id,
    check_limit,
    check_look,
    check_name,
    refuse_organization,
    refuse_place,
    refuse_stale,
)
from pwless_middleware.flows.organizations.directory import Directory
from pwless_middleware.flows.organizations.events import describe_policy, describe_values
from pwless_middleware.flows.people.users import Users
from pwless_middleware.languages.languages import Languages
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories

_TAKEN: Final = Text("Another organization has this key.")
_NO_CONNECTION: Final = Text(
    "Nobody could sign in: set up the company's login, turn it on, and test it first."
)
NONE_COUNTS: Final = Text(
    "A second factor would be required, and none counts: nobody could sign in."
)


class Organizations:
    """Find and change organizations.

    Args:
        repositories: keep them.
        directory: is told of changes.
        events: records them.
        users: say whose an address is.
        languages: those that there are.
        clock: returns unix seconds.
        policies: say what can be proven in this deployment.
        tell_sessions: has every process ask anew whether the sessions that it holds go on.
    """

    def __init__(
        self,
        repositories: Repositories,
        directory: Directory,
        events: Events,
        *,
        users: Users,
        languages: Languages,
        clock: Callable[[], int],
        policies: Policies,
        tell_sessions: Callable[[], Awaitable[None]],
    ) -> None:
        self._kept = repositories
        self._organizations = repositories.organizations
        self._directory = directory
        self._events = events
        self._break_glass = BreakGlass(repositories, users)
        self._languages = languages
        self._clock = clock
        self._policies = policies
        self._tell_sessions = tell_sessions

    # --- find ----------------------------------------------------------------------------------

    async def find(self, key: str) -> Organization | None:
        """Return an organization as it stands in the database, or `None`.

        Args:
            key: its id, or the host's own key of it.

        Raises:
            StoreError: the database cannot be asked.
        """
        if not key.isprintable():  # no database takes a NUL
            return None
        if key.startswith(ID_PREFIX):
            return await self._organizations.find(key)
        return await self._organizations.find_by_external_id(key)

    async def require(self, key: str) -> Organization:
        """Return an organization as it stands in the database.

        Args:
            key: as for `find`.

        Raises:
            NotFound: there is none.
            StoreError: the database cannot be asked.
        """
        found = await self.find(key)
        return refuse_organization() if found is None else found

    async def find_several(self, ids: Collection[str]) -> Sequence[Organization]:
        """Return the organizations with these ids, by name; those that are gone are left out.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._organizations.find_several(ids)

    async def list(
        self, *, search: str = "", after: str = "", limit: int = 50
    ) -> Sequence[Organization]:
        """Return organizations by name.

        Args:
            search: what their names contain, in whichever case; empty takes all.
            after: the id of the last one of the page before; empty begins.
            limit: how many at most.

        Raises:
            InvalidArgument: the one of `after` is gone; or the limit is none.
            StoreError: the database cannot be asked.
        """
        from pwless_middleware.database.organizations.organizations import (
            OrganizationPlace,
            place_of,
        )

        check_limit(limit)
        place = OrganizationPlace()
        if after:
            last = await self.find(after)
            place = refuse_place() if last is None else place_of(last)
        if not search.isprintable():
            return ()
        return await self._organizations.list(search=search, after=place, limit=limit)

    async def count(self) -> int:
        """Return how many organizations there are.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._organizations.count()

    async def list_without_break_glass(self) -> Sequence[Organization]:
        """Return organizations that require the company's login, and where nobody could come in
        without it any more (`has_break_glass`).

        Raises:
            StoreError, UsersUnavailable: it cannot be known.
        """
        requiring = await self._organizations.list_requiring_sso()
        return [one for one in requiring if not await self.has_break_glass(one)]

    async def has_break_glass(self, organization: Organization) -> bool:
        """Whether somebody could come in without the company's login: one of the break-glass
        addresses is an active member's who has a second factor that counts (security rule 54).

        Raises:
            StoreError, UsersUnavailable: it cannot be known.
        """
        return await self._break_glass.find_fault(organization.policy, organization.id) is None

    # --- change --------------------------------------------------------------------------------

    async def create(
        self,
        name: str,
        *,
        external_id: str | None = None,
        logo: str | None = None,
        color: str | None = None,
        language: str = "",
        policy: Policy = ANYTHING,
        by: str = "python",
    ) -> Organization:
        """Make an organization.

        Args:
            name: what people read, 1 to 100 characters.
            external_id: your own key of it, which no other has; `None` for none.
            logo: as of `Brand`; `None` takes the deployment's.
            color: as of `Brand`; `None` takes the deployment's.
            language: the code of the language of its pages and mails; empty takes the usual one.
            policy: what it asks of logins; the default asks for nothing.
            by: who makes it.

        Raises:
            InvalidArgument: a field is bad, or another organization has the key.
            StoreError: the database cannot be asked.
        """
        logo, color = check_look(logo, color)
        organization = Organization(
            id=new_id(ID_PREFIX),
            name=check_name(name),
            external_id=check_external_id(external_id),
            policy=policy,
            logo=logo,
            color=color,
            language=self._check_language(language),
            created_at=self._clock(),
        )
        await self._check_policy(policy, ANYTHING, None)
        audit = self._events.make(
            "organization.created",
            by=check_by(by),
            organization=organization.id,
            details={"name": organization.name},
        )
        return await self._put(organization, None, audit)

    async def change(
        self,
        key: str,
        *,
        name: str | None = None,
        external_id: str | None = None,
        logo: str | None = None,
        color: str | None = None,
        language: str | None = None,
        seen: int | None = None,
        by: str = "python",
    ) -> Organization:
        """Change what is given of an organization; `None` leaves it, empty takes it away.

        Args:
            key: its id, or your own key of it.
            name, external_id, logo, color, language: as for `create`.
            seen: the version that the change is made to; `None` takes the one that stands there.
            by: who does it.

        Raises:
            InvalidArgument: a field is bad, another organization has the key, or somebody else has
                changed it since.
            NotFound: there is none.
            StoreError: the database cannot be asked; or other processes cannot be told, and hold
                on for 30 more seconds at most.
        """
        there = await self.require(key)
        new_logo, new_color = check_look(
            there.logo if logo is None else logo, there.color if color is None else color
        )
        new = replace(
            there,
            name=there.name if name is None else check_name(name),
            external_id=(
                there.external_id if external_id is None else check_external_id(external_id)
            ),
            logo=new_logo,
            color=new_color,
            language=there.language if language is None else self._check_language(language),
        )
        names = ("name", "external_id", "logo", "color", "language")
        changed = [one for one in names if getattr(there, one) != getattr(new, one)]
        if not changed:
            return there if seen in (None, there.version) else refuse_stale()
        audit = self._events.make(
            "organization.changed",
            by=check_by(by),
            organization=there.id,
            details={
                "from": describe_values({one: getattr(there, one) for one in changed}),
                "to": describe_values({one: getattr(new, one) for one in changed}),
            },
        )
        return await self._put(new, there if seen in (None, there.version) else seen, audit, there)

    async def set_policy(
        self, key: str, policy: Policy, *, seen: int, by: str = "python"
    ) -> Organization:
        """Have logins to an organization be held to another policy, from now on in every process.

        Running sessions go on to their end (`apply_now`).

        Args:
            key: its id, or your own key of it.
            policy: all of it.
            seen: the version of the organization that the change is made to.
            by: who does it.

        Raises:
            InvalidArgument: the policy contradicts itself; it requires a second factor, and no
                feature is mounted by which anybody could give one; it asks for the company's login,
                and no connection has worked yet or no active member with a second factor could come
                in without it (security rule 54); or somebody else has changed it since.
            NotFound, StoreError: as for `change`.
        """
        there = await self.require(key)
        if there.version != seen:
            refuse_stale()
        if policy == there.policy:
            return there
        await self._check_policy(policy, there.policy, there.id)
        before = there.policy.break_glass or frozenset()
        after = policy.break_glass or frozenset()
        audit = self._events.make(
            "organization.policy_changed",
            by=check_by(by),
            organization=there.id,
            details={
                "from": describe_policy(there.policy),
                "to": describe_policy(policy),
                "added": len(after - before),
                "removed": len(before - after),
            },
        )
        return await self._put(replace(there, policy=policy), there, audit, there)

    async def apply_now(self, key: str, *, by: str = "python") -> Organization:
        """Hold the sessions that run to the policy as it is now, in every process.

        Args:
            key: its id, or your own key of it.
            by: who does it.

        Raises:
            NotFound, StoreError: as for `change`.
        """
        there = await self.require(key)
        audit = self._events.make(
            "organization.policy_applied", by=check_by(by), organization=there.id
        )
        new = replace(there, enforced_at=max(there.enforced_at, self._clock()))
        return await self._put(new, there, audit, there)

    async def delete(self, key: str, *, by: str = "python") -> None:
        """Delete an organization, and all that is its own; its sessions end in every process.

        Args:
            key: its id, or your own key of it.
            by: who does it.

        Raises:
            NotFound, StoreError: as for `change`.
        """
        there = await self.require(key)
        domains = await self._kept.domains.list(there.id)
        connections = await self._kept.connections.list(there.id)
        audit = self._events.make(
            "organization.deleted",
            by=check_by(by),
            organization=there.id,
            details={"name": there.name},
        )
        if not await self._organizations.delete(there.id, audit=audit):
            refuse_organization()
        self._events.publish(audit)
        await self._directory.tell_organization(there)
        await self._directory.tell_connections(there.id)
        await self._directory.tell_gone(*(one.id for one in connections))
        await self._directory.tell_owner(*(one.name for one in domains))
        await self._tell_sessions()

    # --- what the methods share ----------------------------------------------------------------

    async def _put(
        self,
        organization: Organization,
        seen: Organization | int | None,
        audit: Event,
        there: Organization | None = None,
    ) -> Organization:
        version = seen.version if isinstance(seen, Organization) else seen
        new = organization if version is None else replace(organization, version=version + 1)
        change = await self._organizations.put(new, seen=version, audit=audit)
        if change == "taken":
            raise InvalidArgument.of("external_id", _TAKEN, "taken")
        if change == "no_connection":
            raise InvalidArgument.of("sso", _NO_CONNECTION, "no_connection")
        if change == "stale":
            refuse_stale()
        self._events.publish(audit)
        await self._directory.tell_organization(new, *(() if there is None else (there,)))
        if there is not None:
            await self._tell_sessions()
        return new

    def _check_language(self, language: str) -> str:
        codes = self._languages.codes
        if language and language not in codes:
            problem = Text("Send one of %(names)s.", names=", ".join(codes))
            raise InvalidArgument.of("language", problem, "enum")
        return language

    async def _check_policy(self, policy: Policy, before: Policy, id: str | None) -> None:
        faults = [FieldViolation(*fault) for fault in find_contradictions(policy)]
        if faults:
            raise InvalidArgument(faults)
        changed = {one for one in FIELDS if getattr(policy, one) != getattr(before, one)}
        if changed & {"mfa", "second_factors"} and not self._policies.can_meet(policy):
            raise InvalidArgument.of("mfa", NONE_COUNTS, "second_factors")
        if policy.sso == "required" and changed & {"sso", "break_glass", "second_factors"}:
            fault = await self._break_glass.find_fault(policy, id)
            if fault is not None:
                raise InvalidArgument([fault])

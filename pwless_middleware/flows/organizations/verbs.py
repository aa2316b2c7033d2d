"""Organizations for the host's own code: `Passwordless.organizations`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.organizations.explanation import Explanation
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import ANYTHING, Policy
from pwless_middleware.core.organizations.policy_json import change_policy
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.organizations.domain_verification import DomainCheck
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.text import Text


class OrganizationVerbs:
    """Find organizations, change them, and what is theirs.

        acme = await passwordless.organizations.create("Acme", external_id="customer-7")
        await passwordless.organizations.change_policy("customer-7", {"mfa": "required"})
        await passwordless.organizations.members.put(acme.id, user_id, role="admin")

    Where a method takes a `key`, it is an organization's id or your own key of it (`external_id`);
    what is an organization's own takes its id. `by` says in the events who did it.

    Args:
        floor: does it.

    Attributes:
        members: who is in which organization.
        invitations: to them; the mails are sent where `Organizations` is mounted.
        domains: that organizations say are theirs, and those that are.
        connections: to their identity providers.
        identities: who people are at identity providers.
        setup_links: by which they set up their login themselves.
    """

    def __init__(self, floor: OrganizationFloor) -> None:
        self._organizations = floor.organizations
        self._explanations = floor.explanations
        self._verification = floor.verification
        self.members = floor.members
        self.invitations = floor.invitations
        self.domains = floor.domains
        self.connections = floor.connections
        self.identities = floor.identities
        self.setup_links = floor.setup_links

    # --- find ----------------------------------------------------------------------------------

    async def find(self, key: str) -> Organization | None:
        """Return an organization, or `None`.

        Args:
            key: its id, or your own key of it.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._organizations.find(key)

    async def list(
        self, *, search: str = "", after: str = "", limit: int = 50
    ) -> Sequence[Organization]:
        """Return organizations by name.

        Args:
            search: what their names contain, in whichever case; empty (default) takes all.
            after: the id of the last one of the page before; empty (default) begins.
            limit: how many at most, to 1000; default 50.

        Raises:
            InvalidArgument: the one of `after` is gone; or the limit is none.
            StoreError: the database cannot be asked.
        """
        return await self._organizations.list(search=search, after=after, limit=limit)

    async def explain(self, email: str, *, key: str | None = None) -> Explanation:
        """Return what would happen if somebody signed in now, each way, and why.

        Nothing is asked of anybody, counted or sent.

        Args:
            email: whose login, as somebody types it.
            key: of the organization that is to be entered; `None` (default) takes the one that a
                login without any name enters, if there is one.

        Raises:
            InvalidArgument: it is no address.
            NotFound: there is no such organization.
            StoreError, UsersUnavailable: it cannot be known.
        """
        address = parse_address(email)
        if address is None:
            raise InvalidArgument.of("email", Text("This is not an email address."), "email")
        organization = None if key is None else await self._organizations.require(key)
        return await self._explanations.explain(address, organization)

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
            external_id: your own key of it, which no other has; `None` (default) for none.
            logo: as of `Brand`; `None` (default) takes the deployment's.
            color: as of `Brand`; `None` (default) takes the deployment's.
            language: the code of the language of its pages and mails; empty (default) takes the
                usual one.
            policy: what it asks of logins; the default asks for nothing.
            by: who makes it.

        Raises:
            InvalidArgument: a field is bad, or another organization has the key; each is named.
            StoreError: the database cannot be asked.
        """
        return await self._organizations.create(
            name,
            external_id=external_id,
            logo=logo,
            color=color,
            language=language,
            policy=policy,
            by=by,
        )

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
        """Change what is given of an organization; `None` (default) leaves it, empty takes it away.

        Args:
            key: its id, or your own key of it.
            name, external_id, logo, color, language: as for `create`.
            seen: the version that the change is made to; `None` (default) takes the one that
                stands there.
            by: who does it.

        Raises:
            InvalidArgument: as for `create`, or somebody else has changed it since.
            NotFound: there is none.
            StoreError: the database cannot be asked; or other processes cannot be told, and hold
                on for 30 more seconds at most.
        """
        return await self._organizations.change(
            key,
            name=name,
            external_id=external_id,
            logo=logo,
            color=color,
            language=language,
            seen=seen,
            by=by,
        )

    async def change_policy(
        self,
        key: str,
        changes: Mapping[str, object],
        *,
        seen: int | None = None,
        by: str = "python",
    ) -> Organization:
        """Change some of what an organization asks of logins, from now on in every process.

        Running sessions go on to their end (`apply_now`).

        Args:
            key: its id, or your own key of it.
            changes: field to value, as in JSON: `{"mfa": "required", "trusted_days": 0}`; `None`
                takes a field back. Fields that are not named stay.
            seen: the version of the organization that the change is made to; `None` (default)
                takes the one that stands there.
            by: who does it.

        Raises:
            InvalidArgument: a field is bad, or contradicts another; `sso` is required before a
                connection has worked and a break-glass address is an active member's with a
                second factor; or somebody else has changed the organization since.
            NotFound, StoreError: as for `change`.
        """
        there = await self._organizations.require(key)
        policy = change_policy(there.policy, dict(changes))
        return await self._organizations.set_policy(
            there.id, policy, seen=there.version if seen is None else seen, by=by
        )

    async def set_policy(
        self, key: str, policy: Policy, *, seen: int | None = None, by: str = "python"
    ) -> Organization:
        """Have an organization ask for all of a policy, from now on in every process.

        Args:
            key: its id, or your own key of it.
            policy: all of it.
            seen: as for `change_policy`.
            by: who does it.

        Raises:
            InvalidArgument, NotFound, StoreError: as for `change_policy`.
        """
        there = await self._organizations.require(key)
        return await self._organizations.set_policy(
            there.id, policy, seen=there.version if seen is None else seen, by=by
        )

    async def apply_now(self, key: str, *, by: str = "python") -> Organization:
        """Hold the sessions that run to the policy as it is now, in every process.

        Args:
            key: its id, or your own key of it.
            by: who does it.

        Raises:
            NotFound, StoreError: as for `change`.
        """
        return await self._organizations.apply_now(key, by=by)

    async def delete(self, key: str, *, by: str = "python") -> None:
        """Delete an organization, and all that is its own; its sessions end in every process.

        Args:
            key: its id, or your own key of it.
            by: who does it.

        Raises:
            NotFound, StoreError: as for `change`.
        """
        await self._organizations.delete(key, by=by)

    async def verify_domain(self, key: str, domain: str, *, by: str = "python") -> DomainCheck:
        """Look for the DNS record of a domain, and make it the organization's own if it is there.

        Args:
            key: its id, or your own key of it.
            domain: that the organization has claimed (`domains.claim`).
            by: who asks.

        Returns:
            What came of it, with a sentence for people.

        Raises:
            NotFound: there is no such organization, or it has not claimed the domain.
            StoreError: as for `change`.
        """
        there = await self._organizations.require(key)
        return await self._verification.verify(there.id, domain, by=by)

"""Whether a login comes from the company's login that is required, whichever way it came in.

Asked at the door, for a mail, a passkey, an API call, a remembered browser and a recovery code
alike: what was led past the start page, or began before the policy was changed, ends here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pwless_middleware.core.address import Address, domain_of, parse_address
from pwless_middleware.core.caller import Caller
from pwless_middleware.core.challenge_context import Redirect
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.login import Login
from pwless_middleware.core.organization import Organization
from pwless_middleware.core.policy import Policy
from pwless_middleware.core.policy_decision import (
    TEXTS,
    decide_first_factor,
    uses_break_glass,
    wants_second_factor,
)
from pwless_middleware.core.session import Session
from pwless_middleware.errors import LoginDenied
from pwless_middleware.features.sso.break_glass import BreakGlassMails
from pwless_middleware.features.sso.paths import START_PATH
from pwless_middleware.features.sso.start_pages import usable_connections
from pwless_middleware.stores.base import Writes
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

_MOST_NOTED: Final = 256


@dataclass(frozen=True, slots=True)
class _Use:
    """A login by the way out that is about to be let in: of whom to tell whom."""

    organization: str
    tell: Sequence[tuple[Address, str]]


class SSORule:
    """Ask for the company's login where it is required.

    Args:
        kit: everything below.
        floor: knows organizations and connections.
        mails: tell of logins by the way out.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor, mails: BreakGlassMails) -> None:
        self._kit = kit
        self._directory = floor.directory
        self._mails = mails
        # From the rule to the write that begins the session: both are of one request.
        self._uses: OrderedDict[tuple[bytes, str], _Use] = OrderedDict()

    async def before_session(self, login: Login) -> Redirect | None:
        """Lead to the login that is required.

        Raises:
            LoginDenied: somebody may sign in without it, and has no second factor.
            StoreError: it cannot be known.
        """
        policy = await self._kit.policies.of(login)
        address = parse_address(login.email)
        if policy.sso != "required" or address is None:
            return None
        for one in await self._deciding(login, address):
            if one.policy.sso != "required":
                continue
            usable = usable_connections(one, await self._directory.connections_of(one.id))
            refused = decide_first_factor(
                policy,
                login.authentications,
                email=address,
                connections={connection.id for connection in usable},
            )
            if refused is not None and refused.reason in ("sso", "connection"):
                return Redirect(f"{START_PATH}?{urlencode({'organization': one.id})}")
            if uses_break_glass(policy, login.authentications, email=address):
                await self._check_way_out(login, policy, one, address)
        return None

    def with_session(self, login: Login, session: Session, caller: Caller) -> Writes:
        """Return the mails that tell of a login by the way out, and record it."""
        use = self._uses.pop((login.attempt, login.user_id), None)
        if use is None:
            return Writes()
        self._kit.events.record(
            "sso.break_glass",
            caller,
            attempt=login.attempt,
            user_id=login.user_id,
            organization=use.organization,
        )
        return self._mails.writes(login, use.organization, use.tell)

    async def _check_way_out(
        self, login: Login, policy: Policy, organization: Organization, address: Address
    ) -> None:
        """Note who is told of a login without the company's, which takes a second factor."""
        if wants_second_factor(policy, login.authentications, email=address):
            # The step is asked for by who has the factors; without any there is none to ask for.
            offered = [one.method.is_enrolled for one in self._kit.offers.steps]
            asked = [await ask(login.user_id) for ask in offered if ask is not None]
            if not any(asked):
                raise LoginDenied(TEXTS["no_factor"])
            return
        tell = [(one, "") for one in sorted(policy.break_glass or ()) if one != address]
        tell += [one for one in await self._kit.operators.admins() if one[0] != address]
        unique = dict(reversed(tell))
        self._uses[login.attempt, login.user_id] = _Use(organization.id, [*unique.items()])
        while len(self._uses) > _MOST_NOTED:
            self._uses.popitem(last=False)

    async def _deciding(self, login: Login, address: Address) -> Sequence[Organization]:
        """Return who may require their login: the owner of the domain, and who is entered."""
        owner = await self._directory.owner_of(domain_of(address))
        keys = [login.organization] if login.organization is not None else []
        if not keys and not login.is_renewal:
            members = await self._directory.memberships(login.user_id)
            keys = [one.organization for one in members if one.is_active]
            keys = keys if len(keys) == 1 else []  # of several, none is entered
        entered = [await self._directory.find(key) for key in keys]
        found = {one.id: one for one in (owner, *entered) if one is not None}
        return tuple(found.values())

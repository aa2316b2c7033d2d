"""Where the people of a domain sign in: the way from an address to their company's login.

    the owner of the domain, or the organization that is entered, requires its login ──▶ led there
    they allow it                                    ──▶ a button on the page that waits for a code
    no, or nobody owns the domain                    ──▶ nothing

The domain decides and nothing else of the address, so that nobody learns by it who has an account
(security rule 14). An organization binds the people of a domain once it has verified it (security
rule 54), and those who enter it whatever their address is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.requests import Request

from pwless_middleware.core.addresses.address import domain_of
from pwless_middleware.core.challenges.challenge import Challenge
from pwless_middleware.core.challenges.challenge_context import ChallengeContext, Redirect
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import strictest
from pwless_middleware.core.paths import SSO_START_PATH
from pwless_middleware.flows.organizations.policies import usable_connections
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.parts.offers import Alternative

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class HomeRealm:
    """Answer what is asked before and beside a mail.

    Args:
        floor: knows organizations, domains and connections.
    """

    def __init__(self, floor: OrganizationFloor) -> None:
        self._directory = floor.directory

    async def before_challenge(self, context: ChallengeContext) -> Redirect | None:
        """Lead to the login that is required.

        Raises:
            StoreError: it cannot be known.
        """
        if context.is_break_glass:
            return None
        for one in await self._deciding(context.domain, context.organization):
            if one.policy.sso == "required":
                return Redirect(_path(one, context.hint))
        return None

    async def alternative(self, request: Request, context: ChallengeContext) -> Alternative | None:
        """Return the button that leads to a login that is allowed.

        Raises:
            StoreError: it cannot be known.
        """
        for one in await self._deciding(context.domain, context.organization):
            if usable_connections(one, await self._directory.connections_of(one.id)):
                title = Text("Continue with the login of %(organization)s", organization=one.name)
                path = Redirect(_path(one, context.hint)).with_next(context.next)
                return Alternative(title=translate(title), path=path)
        return None

    async def may_mail(self, challenge: Challenge) -> bool:
        """Whether the mail of a challenge may go out: without the login that is required, only to
        the addresses that the organization has named for that.

        Raises:
            StoreError: it cannot be known.
        """
        if not challenge.is_break_glass:
            return True
        deciding = await self._deciding(domain_of(challenge.address), challenge.organization)
        policy = strictest(one.policy for one in deciding)
        return policy.sso != "required" or challenge.address in (policy.break_glass or ())

    async def _deciding(self, domain: str, entered: str | None) -> Sequence[Organization]:
        """Return who has a say: the organization that is entered, then the owner of a domain."""
        wanted = await self._directory.find(entered) if entered is not None else None
        owner = await self._directory.owner_of(domain)
        found = {one.id: one for one in (wanted, owner) if one is not None}
        return tuple(found.values())


def _path(organization: Organization, hint: str) -> str:
    return f"{SSO_START_PATH}?{urlencode({'organization': organization.id, 'hint': hint})}"

"""The way out, where a company's login is required and cannot be reached.

A quiet page asks for an address and posts it to the login page. Everybody gets the same answer; a
mail goes to the addresses alone that the organization has named (`HomeRealm.may_mail`). Who signs
in by it proves a second factor as well, in a trusted browser too, and the others are told.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.links import break_foreign
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.organizations.policy_decision import (
    uses_break_glass,
    wants_second_factor,
)
from pwless_middleware.core.paths import SSO_START_PATH, safe_next
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import NotFound
from pwless_middleware.features.sso.paths import OTHER_WAY_PATH
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.stores.base import Writes
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import organization_in
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

MAIL: Final = "break_glass_used"
"""The topic of the jobs, and the name of the mail."""
_MOST_NOTED: Final = 256
_EMAIL: Final = "email"
"""The method of the login page that sends mails."""


def other_way_path(kit: Kit) -> str:
    """Return the page for who cannot reach a login that is required; empty where no mail goes out.

    Args:
        kit: everything below.
    """
    has_mails = any(method.name == _EMAIL for method in kit.offers.methods)
    return OTHER_WAY_PATH if has_mails else ""


class OtherWayPage:
    """Show the quiet page.

    Args:
        kit: everything below.
        floor: knows organizations.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.routes = (Route(OTHER_WAY_PATH, {"GET": self.show}),)

    async def show(self, request: Request) -> Response:
        """Ask for an address. The form goes to the login page, which has the mails."""
        if not other_way_path(self._kit):
            raise NotFound
        key = organization_in(request.query_params)
        organization = await self._floor.directory.find(key) if key else None
        if organization is None:
            raise NotFound
        await self._kit.pages.write_for(request, organization.id)
        next = safe_next(request.query_params.get("next")) or ""
        query = {"organization": organization.id} | ({"next": next} if next else {})
        return self._kit.pages.page(
            request,
            "sso/other_way.html",
            leads_away=True,
            organization=organization.name,
            organization_id=organization.id,
            next=next,
            back=f"{SSO_START_PATH}?{urlencode(query)}",
        )


@dataclass(frozen=True, slots=True)
class _Use:
    """A login by the way out that is let in: of which organization, and whom to tell in what."""

    organization: str
    tell: Sequence[tuple[Address, str]]


class BreakGlassUses:
    """Tell the others of each login by the way out: who may use it too, and the admins.

    Whether somebody may is not decided here, but where all logins are held to what organizations
    ask (`flows.organizations.policies`).

    Args:
        kit: everything below.
        floor: knows organizations.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self._host = kit.origin.host.partition(":")[0]
        self._notices = Notices(
            kit.renderer, kit.languages, kit.mailer, host=self._host, clock=kit.clock
        )
        # From the rule to the write that begins the session: both are of one request.
        self._uses: OrderedDict[tuple[bytes, str], _Use] = OrderedDict()

    async def before_session(self, login: Login) -> None:
        """Note who is told, once the second factor is there.

        Raises:
            StoreError: it cannot be known.
        """
        policy, address = await self._kit.policies.of(login), parse_address(login.email)
        proofs = login.authentications
        if address is None or not uses_break_glass(policy, proofs, email=address):
            return
        demanding = (await self._floor.policies.deciding(login)).demanding
        if demanding is None or wants_second_factor(policy, proofs, email=address):
            return
        tell = [(one, "") for one in sorted(policy.break_glass or ())]
        tell += await self._kit.operators.admins()
        unique = {one: language for one, language in tell if one != address}
        self._uses[login.attempt, login.user_id] = _Use(demanding.id, [*unique.items()])
        while len(self._uses) > _MOST_NOTED:
            self._uses.popitem(last=False)

    def with_session(self, login: Login, session: Session, caller: Caller) -> Writes:
        """Return what queues the mails with the session, and record the event."""
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
        jobs: tuple[bytes, ...] = ()
        for to, language in use.tell:
            body = [to, language, use.organization, login.email, login.device, self._kit.clock()]
            jobs += self._kit.jobs.writes(MAIL, json.dumps(body).encode()).jobs
        return Writes(jobs=jobs)

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell one of them."""
        to, language, id, who, device, at = json.loads(job.body)
        address, organization = parse_address(to), await self._floor.directory.find(id)
        if address is None or organization is None:
            return Outcome.DROPPED
        return self._notices.deliver(
            MAIL,
            address,
            at=at,
            device=device,
            language=language,
            variables={
                "organization": break_foreign(organization.name, self._host),
                "person": who,
            },
        )

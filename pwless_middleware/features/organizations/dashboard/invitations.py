"""The invitations to an organization: who is invited, until when, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.organizations.organization import ROLE_LENGTH, Invitation, Organization
from pwless_middleware.errors import ApiError, InvalidArgument, RateLimited
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.gates.organization_gate import (
    find_organization,
    lead_to_tab,
    organization_page,
    show_organization,
)
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import (
    ORGANIZATION_PATH,
    ORGANIZATIONS_PATH,
    OrganizationTab,
)
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.form_problems import problems_of, read_done
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

TAB: Final = "/invitations"
PAGE: Final = 50
"""Invitations on one page."""
DAYS: Final = (1, 7, 14, 30)
"""For how many days an invitation may be open."""
_DONE: Final[Mapping[str, Text]] = {
    "invited": Text("They are invited: the email is on its way."),
    "revoked": Text("The invitation is revoked."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """An invitation as it is listed.

    Attributes:
        id, email, role: as they are.
        by: who has invited, in words.
        state, tone: what has become of it, in words, and their tone.
        is_open: whether it can still be accepted.
        expires_at, expires_iso: when it ends.
    """

    id: str
    email: str
    role: str
    by: str
    state: str
    tone: str
    is_open: bool
    expires_at: str
    expires_iso: str

    @classmethod
    def of(cls, invitation: Invitation, by: str, now: int) -> InvitationRow:
        """Return an invitation as it is listed, with the name of who has made it."""
        is_open = invitation.accepted_at is None and now < invitation.expires_at
        state, tone = Text("Ended"), ""
        if invitation.accepted_at is not None:
            state, tone = Text("Accepted"), "good"
        elif is_open:
            state, tone = Text("Open"), "info"
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            by=by,
            state=translate(state),
            tone=tone,
            is_open=is_open,
            expires_at=format_time(invitation.expires_at),
            expires_iso=format_iso(invitation.expires_at),
        )


class InvitationPages:
    """List invitations; invite people, and revoke it.

    Args:
        kit: the feature's.
        floor: keeps invitations.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self._makers = Makers(kit)
        self.tab = OrganizationTab(title=Text("Invitations"), path=TAB, order=20)
        here = f"{ORGANIZATION_PATH}{TAB}"
        self.routes = (
            Route(here, {"GET": self.list, "POST": self.invite}),
            Route(f"{here}/new", {"GET": self.show_new}),
            Route(f"{here}/revoke", {"POST": self.revoke}),
        )

    async def list(self, request: Request) -> Response:
        """List them, the newest first."""
        operator = await self._kit.operators.require(request)
        organization = await find_organization(self._kit, request)
        notice, after = read_done(request, _DONE, "after")
        found = await self._floor.invitations.list(
            organization.id, after=after or "", limit=PAGE + 1
        )
        names = await self._makers.name(one.by for one in found[:PAGE])
        now = self._kit.clock()
        return await show_organization(
            *(self._kit, request, operator, organization, TAB),
            "dashboard/organizations/invitations.html",
            notice=notice,
            rows=[InvitationRow.of(one, names[one.by], now) for one in found[:PAGE]],
            is_first=not after,
            after=f"?after={found[PAGE - 1].id}" if len(found) > PAGE else "",
        )

    async def show_new(self, request: Request) -> Response:
        """Show the form for a new one."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        return await self._form(request, operator, organization, {})

    async def invite(self, request: Request) -> Response:
        """Invite somebody."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=organization_page(request, f"{TAB}/new")
        )
        organization = await find_organization(self._kit, request)
        form = await read_form(request)
        days = next((one for one in DAYS if str(one) == form.get("days")), None)
        try:
            if days is None:
                raise InvalidArgument.of("days", Text("Choose one of these."), "enum")
            await self._floor.invitations.create(
                organization.id,
                form.get("email", ""),
                role=form.get("role", ""),
                expires_in=days * 86_400,
                by=operator.by,
            )
        except (InvalidArgument, RateLimited) as error:
            return await self._form(request, operator, organization, form, error)
        return lead_to_tab(self._kit, request, organization, TAB, "invited")

    async def revoke(self, request: Request) -> Response:
        """Have nobody accept one any more."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=organization_page(request, TAB)
        )
        organization = await find_organization(self._kit, request)
        id = (await read_form(request)).get("id", "")
        await self._floor.invitations.revoke(organization.id, id, by=operator.by)
        return lead_to_tab(self._kit, request, organization, TAB, "revoked")

    async def _form(
        self,
        request: Request,
        operator: Operator,
        organization: Organization,
        form: Mapping[str, str],
        error: ApiError | None = None,
    ) -> Response:
        bad = error if isinstance(error, InvalidArgument) else None
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/invite.html",
            path=ORGANIZATIONS_PATH,
            status=error.status if error is not None else 200,
            retry_after=error.retry_after if error is not None else None,
            organization=organization,
            form={"email": "", "role": "", "days": "7", **form},
            problems=problems_of(bad, ("email", "role", "days")),
            problem=public_message(error) if error is not None and bad is None else None,
            spans=[
                (str(one), translate(Text.for_count("%(n)s day", "%(n)s days", one)))
                for one in DAYS
            ],
            most_role=ROLE_LENGTH,
        )

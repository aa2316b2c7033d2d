"""The page that the link of an invitation opens.

Mail scanners open links: to open it changes nothing. The link proves nothing either, since it lies
in a mailbox for days: who accepts signs in with the address that is invited, as anybody does, or
has done so already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.organization import Invitation
from pwless_middleware.features.organizations.invitation_mails import InvitationMails
from pwless_middleware.features.organizations.paths import INVITATION_PATH
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

_State = Literal["open", "other", "mine", "joined", "over"]
"""What the page says: sign in; sign in as somebody else; accept; you are a member; it is over."""


class InvitationPage:
    """Show the page, and let who is signed in with the address that is invited accept.

    Args:
        kit: everything below.
        floor: keeps the invitations.
        mails: read the links.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor, mails: InvitationMails) -> None:
        self._kit = kit
        self._floor = floor
        self._mails = mails
        self.routes = (Route(INVITATION_PATH, {"GET": self.show, "POST": self.accept}),)

    async def show(self, request: Request) -> Response:
        """Say who invites whom, and what to do."""
        return await self._show(request, request.query_params.get("link_token", ""))

    async def accept(self, request: Request) -> Response:
        """Take the session into the organization, which accepts the invitation (`Entrances`)."""
        token = (await read_form(request)).get("link_token", "")
        invitation = await self._mails.find(token)
        account = await self._kit.accounts.find(request)
        if (
            account is None
            or invitation is None
            or await self._state(invitation, account) != "mine"
        ):
            return await self._show(request, token)
        caller = self._kit.callers.browser(request)
        attempt = self._kit.logins.enter_organization(
            account.session, invitation.organization, caller, next=root_path(request) + "/"
        )
        return await respond_with_page(self._kit, request, caller, attempt)

    async def _state(self, invitation: Invitation, account: Account | None) -> _State:
        """Return how an invitation stands for who has opened its link."""
        is_open = invitation.accepted_at is None and self._kit.clock() < invitation.expires_at
        if account is None or account.session.email != invitation.email:
            waits: _State = "open" if account is None else "other"
            return waits if is_open else "over"
        if is_open:
            return "mine"
        directory = self._floor.directory
        member = await directory.membership(account.user.id, invitation.organization)
        return "joined" if member is not None and member.is_active else "over"

    async def _show(self, request: Request, token: str) -> Response:
        invitation = await self._mails.find(token)
        account = await self._kit.accounts.find(request)
        organization, state = None, "over"
        if invitation is not None:
            organization = await self._floor.directory.find(invitation.organization)
        if organization is not None and invitation is not None:
            state = await self._state(invitation, account)
        if state != "over" and organization is not None:
            await self._kit.pages.write_for(request, organization.id)
        is_told = state in ("open", "other", "mine")  # else nobody learns whom it was for
        return self._kit.pages.page(
            request,
            "organizations/invitation.html",
            status=410 if state == "over" else 200,
            state=state,
            link_token=token,
            organization=organization.id if organization is not None else "",
            organization_name=organization.name if organization is not None else "",
            email=invitation.email if invitation is not None and is_told else "",
            user_email=account.user.email if account is not None else "",
            by_email=any(one.name == "email" for one in self._kit.offers.methods),
        )

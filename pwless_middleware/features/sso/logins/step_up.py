"""Prove once more who it is, at the company's login that somebody has signed in by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.organizations.connection import SSO_METHOD, Connection, connection_of
from pwless_middleware.errors import NotFound
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.logins.flow import SSOFlow
from pwless_middleware.features.sso.logins.problem import Problems
from pwless_middleware.features.sso.oidc.presets import asks_anew
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import StepUpMethod
from pwless_middleware.web.parts.parts import Form, Part

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class StepUpBySSO:
    """Send who is signed in to their company's login, which asks anew.

    Args:
        kit: everything below.
        floor: keeps connections.
        flow: begins logins.
        problems: show the page of a login that did not work.
    """

    def __init__(
        self, kit: Kit, floor: OrganizationFloor, flow: SSOFlow, problems: Problems
    ) -> None:
        self._kit = kit
        self._floor = floor
        self._flow = flow
        self._problems = problems
        self.method = StepUpMethod(
            name=SSO_METHOD,
            template="step_up/sso.html",
            show=self.show,
            post=self.post,
            title=Text("Company login"),
            order=50,
        )

    async def show(self, request: Request, account: Account) -> Part | None:
        """Show the button, to who has signed in that way."""
        connection = await self._connection(account)
        return None if connection is None else Part(context={"connection": connection.name})

    async def post(
        self, request: Request, account: Account, form: Form, next: str
    ) -> Response | Part:
        """Send the browser to the provider."""
        connection = await self._connection(account)
        if connection is None:
            raise NotFound
        try:
            return await self._flow.begin(
                request,
                connection,
                kind="step_up",
                hint=parse_address(account.user.email),
                next=next,
                account=account,
            )
        except SSOFault as fault:
            caller = self._kit.callers.browser(request)
            return await self._problems.show(
                request, fault, caller, connection=connection, next=next
            )

    async def _connection(self, account: Account) -> Connection | None:
        """Return the connection that a session was signed in by, if people can sign in by it, and
        its provider can be told to ask them anew."""
        used = [connection_of(one) for one in account.session.authentications]
        id = next((one for one in reversed(used) if one is not None), None)
        connection = await self._floor.connections.find(id) if id is not None else None
        if connection is None or not connection.is_enabled:
            return None
        return connection if asks_anew(connection.config.get("issuer")) else None

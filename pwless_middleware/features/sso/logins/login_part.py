"""The company login's part of the login page.

an organization is to be entered ──▶ the button that leads to its login, if it has one
none is named ──▶ nothing where mails are offered: their field for the address leads there too
              ──▶ else a field for the address
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import domain_of, parse_address
from pwless_middleware.core.challenges.challenge_context import seal_hint
from pwless_middleware.core.organizations.connection import SSO_METHOD
from pwless_middleware.core.paths import SSO_START_PATH
from pwless_middleware.features.sso.logins.break_glass import other_way_path
from pwless_middleware.flows.organizations.policies import usable_connections
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import LoginMethod
from pwless_middleware.web.parts.parts import Form, Part, organization_in

if TYPE_CHECKING:
    from pwless_middleware.core.organizations.organization import Organization
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

_FIELD: Final = "company_email"
_MAILS: Final = "email"
"""The method that asks for an address."""
_UNKNOWN: Final = Text("There is no company login for this address here.")


class LoginPart:
    """Show the button, or the field.

    Args:
        kit: everything below.
        floor: knows organizations and connections.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._directory = floor.directory
        self.method = LoginMethod(
            name=SSO_METHOD,
            template="login/sso.html",
            show=self.show,
            post=self.post,
            field=_FIELD,
            order=105,
            leads_away=True,
            lets_in=self._lets_in,
        )

    async def show(self, request: Request, next: str) -> Part | None:
        """Return the part; `None` where there is nothing to show."""
        key = organization_in(request.query_params)
        organization = await self._directory.find(key) if key else None
        if organization is not None:
            if not await self._has_login(organization):
                return None
            return self._part(organization=organization)
        if any(method.name == _MAILS for method in self._kit.offers.methods):
            return None
        return self._part()

    async def post(self, request: Request, form: Form, next: str) -> Response | Part:
        """Lead to the login of the company that an address is of."""
        email = form.get(_FIELD, "")
        address = parse_address(email)
        owner = await self._directory.owner_of(domain_of(address)) if address is not None else None
        if address is None or owner is None or not await self._has_login(owner):
            return self._part(email=email, error=translate(_UNKNOWN))
        hint = seal_hint(self._kit.hints, address, now=self._kit.clock())
        query = {"organization": owner.id, "hint": hint} | ({"next": next} if next else {})
        return self._kit.pages.redirect(request, f"{SSO_START_PATH}?{urlencode(query)}")

    async def _lets_in(self, user_id: str) -> bool:
        """Whether an organization that somebody is a member of, or whose domain their address is
        of, has a login."""
        members = await self._directory.memberships(user_id)
        ids = [member.organization for member in members if member.is_active]
        found = [await self._directory.find(id) for id in ids]
        user = await self._kit.users.load(user_id)
        address = parse_address(user.email) if user is not None else None
        if address is not None:
            found.append(await self._directory.owner_of(domain_of(address)))
        for organization in found:
            if organization is not None and await self._has_login(organization):
                return True
        return False

    async def _has_login(self, organization: Organization) -> bool:
        connections = await self._directory.connections_of(organization.id)
        return bool(usable_connections(organization, connections))

    def _other_way(self, organization: Organization | None) -> str:
        """Return the page for who cannot reach the login that is required; empty for none."""
        if organization is None or organization.policy.sso != "required":
            return ""
        return other_way_path(self._kit)

    def _part(
        self,
        *,
        organization: Organization | None = None,
        email: str = "",
        error: str | None = None,
    ) -> Part:
        return Part(
            context={
                "company": organization.name if organization is not None else "",
                "start": SSO_START_PATH,
                "other_way": self._other_way(organization),
                "email": email[:254],
                "error": error,
            },
            status=400 if error else 200,
        )

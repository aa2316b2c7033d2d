"""The token by which a provider's directory keeps the members of an organization (SCIM 2.0)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.features.sso.dashboard.connection_gate import (
    ONE,
    connection_page,
    connection_path,
    find_connection,
    lead_to,
)
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.organization_gate import find_organization
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import ORGANIZATIONS_PATH
from pwless_middleware.web.routing.routes import Route


class SCIMTokenPages:
    """Make the token, and have it work no more.

    Args:
        kit: the feature's.
        floor: keeps connections.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self.routes = (
            Route(f"{ONE}/scim", {"GET": self.show_scim, "POST": self.make_token}),
            Route(f"{ONE}/scim/revoke", {"POST": self.revoke_token}),
        )

    async def show_scim(self, request: Request) -> Response:
        """Say what a new token means."""
        operator = await self._kit.operators.require(request, "admin")
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/connection_confirm.html",
            path=ORGANIZATIONS_PATH,
            organization=organization,
            connection=connection,
            what="scim",
        )

    async def make_token(self, request: Request) -> Response:
        """Make a token for the provider's directory, and show it this once."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=connection_page(request, "/scim")
        )
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        token = await self._floor.connections.create_scim_token(connection.id, by=operator.by)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/organizations/secret.html",
            path=ORGANIZATIONS_PATH,
            title=translate(Text("The token for SCIM")),
            lead=translate(
                Text(
                    "Enter it at the provider. Whoever has it can add members of this organization "
                    "and remove them."
                )
            ),
            secret=token,
            back=connection_path(connection),
            back_text=connection.name,
        )

    async def revoke_token(self, request: Request) -> Response:
        """Have the token work no more."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=connection_page(request)
        )
        organization = await find_organization(self._kit, request)
        connection = await find_connection(self._floor, request, organization)
        await self._floor.connections.revoke_scim_token(connection.id, by=operator.by)
        return lead_to(self._kit, request, connection, "scim-revoked")

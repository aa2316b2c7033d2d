"""The connection that an operator looks at or changes: `…/{id}/connections/{connection}/…`."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.connection import ID_PREFIX, Connection
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.web.gates.organization_gate import organization_page
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import ORGANIZATION_PATH, organization_path

TAB: Final = "/connections"
ONE: Final = f"{ORGANIZATION_PATH}{TAB}/{{connection}}"
"""The path of one connection's page, as a route has it."""
_ID: Final = re.compile(ID_PREFIX + r"[A-Za-z0-9_-]{22}")


async def find_connection(
    floor: OrganizationFloor, request: Request, organization: Organization
) -> Connection:
    """Return the connection of the path, which is the organization's of the path.

    Raises:
        NotFound: that organization has none with this id.
        StoreError: it cannot be known now.
    """
    return await floor.connections.require(organization.id, request.path_params["connection"])


def connection_page(request: Request, page: str = "") -> str:
    """Return a page of the connection of the path, for `require_change(back=…)`.

    Args:
        request: to a route below the connection's.
        page: the rest of the path; empty (default) for the first page.
    """
    id = _ID.fullmatch(request.path_params["connection"])
    return organization_page(request, f"{TAB}/{id[0]}{page}" if id else TAB)


def connection_path(connection: Connection) -> str:
    """Return the path of a connection's page, below the prefix."""
    return f"{organization_path(connection.organization, TAB)}/{connection.id}"


def lead_to(kit: Kit, request: Request, connection: Connection, done: str) -> Response:
    """Return the way back to a connection's page, which says what was done."""
    return kit.pages.redirect(request, f"{connection_path(connection)}?done={done}")

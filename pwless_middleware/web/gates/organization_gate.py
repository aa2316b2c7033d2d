"""The organization that an operator looks at or changes: `/dashboard/organizations/{id}/…`.

operator = await kit.operators.require_change(
    request, role="admin", back=organization_page(request, "/members")
)
organization = await find_organization(kit, request)
return await show_organization(
    *(kit, request, operator, organization, "/members"),
    "dashboard/organizations/members.html", members=rows,
)
"""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.organizations.organization import ID_PREFIX, Organization
from pwless_middleware.errors import NotFound
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.organization_parts import ORGANIZATIONS_PATH, organization_path

_ID: Final = re.compile(ID_PREFIX + r"[A-Za-z0-9_-]{22}")


def organization_page(request: Request, tab: str = "") -> str:
    """Return a page of the organization of the path, for `require_change(back=…)`.

    Args:
        request: to a route below `/dashboard/organizations/{id}`.
        tab: the rest of the path; empty (default) for the first page.
    """
    id: str = request.path_params["id"]
    return organization_path(id, tab) if _ID.fullmatch(id) else ORGANIZATIONS_PATH


async def find_organization(kit: Kit, request: Request) -> Organization:
    """Return the organization of the path, as it is in the database now.

    Args:
        kit: everything below.
        request: to a route below `/dashboard/organizations/{id}`.

    Raises:
        NotFound: there is none with this id.
        StoreError: it cannot be known now.
    """
    id: str = request.path_params["id"]
    if not _ID.fullmatch(id):  # the host's own key is no id: it would be one more name of a page
        raise NotFound(_NONE)
    found = await kit.organizations().organizations.find(id)
    if found is None:
        raise NotFound(_NONE)
    return found


async def show_organization(
    kit: Kit,
    request: Request,
    operator: Operator,
    organization: Organization,
    tab: str,
    name: str,
    *,
    status: int = 200,
    **context: object,
) -> Response:
    """Return a page of an organization, with the tabs of all features.

    Args:
        kit, request, operator, organization: as above.
        tab: the path of the one that the page belongs to.
        name: the template, which extends `dashboard/organizations/frame.html`.
        status: HTTP status; default 200.
        context: the template's; `notice` and `problem` are as of `Operators.page`.
    """
    tabs = [
        (one.path, translate(one.title), one.path == tab) for one in kit.offers.organization_tabs
    ]
    return await kit.operators.page(
        request,
        operator,
        name,
        path=ORGANIZATIONS_PATH,
        status=status,
        retry_after=None,
        **{**context, "organization": organization, "tabs": tabs},
    )


def lead_to_tab(
    kit: Kit, request: Request, organization: Organization, tab: str, done: str
) -> Response:
    """Lead to a tab of an organization, which says there what was done.

    Args:
        kit, request, organization: as above.
        tab: its path.
        done: the word of what was done (`read_done`).
    """
    return kit.pages.redirect(request, f"{organization_path(organization.id, tab)}?done={done}")


_NONE: Final = Text("There is no such organization any more.")

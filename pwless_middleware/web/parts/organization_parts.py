"""What features show of an organization, on the dashboard's pages of it (`Mounted`).

A tab is a page below the organization's own. It looks by itself, and so do the routes that its
forms go to: they ask `kit.operators` first, and `web.gates.organization_gate` for the organization.
"""

from __future__ import annotations

from typing import Final

from pwless_middleware.core.dataclass import dataclass

ORGANIZATIONS_PATH: Final = "/dashboard/organizations"
"""Where the dashboard lists organizations, below the prefix."""
ORGANIZATION_PATH: Final = f"{ORGANIZATIONS_PATH}/{{id}}"
"""The path of one organization's page, as a route has it; its tabs stand below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationTab:
    """A page of an organization on the dashboard, beside its others.

    Attributes:
        title: of the tab, e.g. `Members`.
        path: below the organization's own, e.g. `/members`; empty for that one itself.
        order: where it stands; lower comes first.
    """

    title: str
    path: str
    order: int = 100


def organization_path(id: str, tab: str = "") -> str:
    """Return the path of an organization's page, below the prefix.

    Args:
        id: whose.
        tab: the path of a tab; empty (default) for the first page.
    """
    return f"{ORGANIZATIONS_PATH}/{id}{tab}"

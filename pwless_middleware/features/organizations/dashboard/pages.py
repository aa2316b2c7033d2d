"""All pages of organizations on the dashboard, put together."""

from __future__ import annotations

from pwless_middleware.core.organizations.policy import Join
from pwless_middleware.features.organizations.dashboard.deployment import DeploymentPolicy
from pwless_middleware.features.organizations.dashboard.domains import DomainPages
from pwless_middleware.features.organizations.dashboard.explain_page import ExplainPage
from pwless_middleware.features.organizations.dashboard.invitations import InvitationPages
from pwless_middleware.features.organizations.dashboard.list_page import ListPage
from pwless_middleware.features.organizations.dashboard.members import MemberPages
from pwless_middleware.features.organizations.dashboard.organization_pages import (
    OrganizationPages,
)
from pwless_middleware.features.organizations.dashboard.person_part import MembershipPart
from pwless_middleware.features.organizations.dashboard.policy_pages import PolicyPages
from pwless_middleware.flows.organizations.floor import OrganizationFloor
from pwless_middleware.web.kit import Kit, Mounted


def mount_dashboard(
    kit: Kit,
    floor: OrganizationFloor,
    *,
    join: Join | None,
) -> Mounted:
    """Return what the pages add: routes, tabs, the page in the navigation, a part of a person's.

    Args:
        kit: the feature's.
        floor: keeps organizations.
        join: who may become a member in all organizations; `None` leaves it to each.
    """
    listed = ListPage(kit, floor)
    tabs = (
        OrganizationPages(kit, floor),
        MemberPages(kit, floor),
        InvitationPages(kit, floor),
        DomainPages(kit, floor),
        PolicyPages(kit, floor, DeploymentPolicy(kit, join)),
        ExplainPage(kit, floor),
    )
    return Mounted(
        routes=(*listed.routes, *(route for one in tabs for route in one.routes)),
        dashboard_pages=(listed.dashboard_page,),
        organization_tabs=tuple(one.tab for one in tabs),
        person_parts=(MembershipPart(kit, floor).part,),
    )

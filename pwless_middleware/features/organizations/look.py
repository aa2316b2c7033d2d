"""How what is written for an organization looks: under its name, logo and color."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.organizations.connection import SSO_METHOD
from pwless_middleware.core.organizations.organization import Organization
from pwless_middleware.core.organizations.policy import Policy
from pwless_middleware.flows.organization_looks import OrganizationLook
from pwless_middleware.flows.organizations.policies import usable_connections
from pwless_middleware.rendering.renderer import Renderer
from pwless_middleware.web.parts.offers import Offers

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class Looks:
    """Find the look of an organization.

    Args:
        floor: knows the organizations.
        renderer: has the deployment's own brand, for what an organization does not say.
        offers: the ways to sign in that there are.
    """

    def __init__(self, floor: OrganizationFloor, renderer: Renderer, offers: Offers) -> None:
        self._offers = offers
        self._directory = floor.directory
        self._renderer = renderer

    async def of(self, key: str) -> OrganizationLook | None:
        """Return the look of an organization, `None` where there is none with this id or key.

        Raises:
            StoreError: it cannot be known.
        """
        found = await self._directory.find(key)
        if found is None:
            return None
        ours = self._renderer.brand
        brand = Brand(found.name, logo=found.logo or ours.logo, color=found.color or ours.color)
        methods = _methods_of(found.policy, has_button=await self._has_button(found))
        return OrganizationLook(found.id, brand, found.language, methods)

    async def _has_button(self, organization: Organization) -> bool:
        """Whether the login page has a button that leads to an organization's own login."""
        if not any(method.name == SSO_METHOD for method in self._offers.methods):
            return False
        connections = await self._directory.connections_of(organization.id)
        return bool(usable_connections(organization, connections))


def _methods_of(policy: Policy, *, has_button: bool) -> frozenset[str] | None:
    """Return the first factors that a login page offers; `None` for all.

    Where there is no button, the form for an address is the way to a company's login.
    """
    if policy.sso == "required":
        return frozenset({SSO_METHOD if has_button else "email"})
    if policy.methods is None or has_button or SSO_METHOD not in policy.methods:
        return policy.methods
    return policy.methods | {"email"}

"""How what is written for an organization looks: under its name, logo and color."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.brand import Brand
from pwless_middleware.core.policy import Policy
from pwless_middleware.flows.organization_looks import OrganizationLook
from pwless_middleware.rendering.renderer import Renderer

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor


class Looks:
    """Find the look of an organization.

    Args:
        floor: knows the organizations.
        renderer: has the deployment's own brand, for what an organization does not say.
    """

    def __init__(self, floor: OrganizationFloor, renderer: Renderer) -> None:
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
        return OrganizationLook(found.id, brand, found.language, _methods_of(found.policy))


def _methods_of(policy: Policy) -> frozenset[str] | None:
    """Return the first factors that a login page offers; `None` for all.

    The form for an address is the way to the company's login too.
    """
    if policy.methods is None:
        return None
    leads_on = "sso" in policy.methods or policy.sso in ("allowed", "required")
    return policy.methods | {"email", "sso"} if leads_on else policy.methods

"""What `pwless check` and the dashboard say of domains whose DNS records are not found any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

SHOWN: Final = 3
"""Domains that are named, at most."""


class DomainFindings:
    """Look at the verified domains.

    Args:
        floor: keeps them.
    """

    def __init__(self, floor: OrganizationFloor) -> None:
        self._floor = floor

    async def find(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what was found (`Mounted.findings`)."""
        failing = await self._floor.domains.list_failing(limit=SHOWN + 1) if may_ask else ()
        if not failing:
            return ()
        names = ", ".join(one.name for one in failing[:SHOWN])
        if len(failing) > SHOWN:
            names += ", …"
        text = Text(
            "The DNS record of %(domains)s is not found any more. Ask who owns the domain to put "
            "it back, or remove the domain",
            domains=names,
        )
        return [Finding("warn", "domains", text)]

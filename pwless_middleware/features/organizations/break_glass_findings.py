"""What `pwless check` and the dashboard say of organizations that nobody could help any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

SHOWN: Final = 3
"""Organizations that are named, at most."""


class BreakGlassFindings:
    """Look at the organizations that require their company's login (security rule 54).

    A member was named who may come in without it, and had a second factor; they may have removed
    it since, be a member no more, or have been erased.

    Args:
        floor: keeps them.
    """

    def __init__(self, floor: OrganizationFloor) -> None:
        self._floor = floor

    async def find(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what was found (`Mounted.findings`)."""
        found = await self._floor.organizations.list_without_break_glass() if may_ask else ()
        if not found:
            return ()
        names = ", ".join(one.name for one in found[:SHOWN])
        if len(found) > SHOWN:
            names += ", …"
        text = Text(
            "Nobody could come in if the company's login fails: no break-glass address of "
            "%(names)s is an active member's with a second factor",
            names=names,
        )
        return [Finding("warn", "break_glass", text)]

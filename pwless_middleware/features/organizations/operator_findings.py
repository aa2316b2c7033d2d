"""What `pwless check` and the dashboard say of operators whom an organization could lock out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import domain_of
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operators

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

SHOWN: Final = 3
"""Organizations that are named, at most."""


class OperatorFindings:
    """Look at the admins whose address is in the verified domain of an organization.

    How they sign in is then the organization's to say, to the dashboard as well: where it requires
    its own login, who runs that decides who gets in.

    Args:
        floor: knows who has verified which domain.
        operators: say who the admins are.
    """

    def __init__(self, floor: OrganizationFloor, operators: Operators) -> None:
        self._directory = floor.directory
        self._operators = operators

    async def find(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what was found (`Mounted.findings`)."""
        names = set()
        for address, _ in await self._operators.admins() if may_ask else ():
            owner = await self._directory.owner_of(domain_of(address))
            if owner is not None and owner.policy.sso == "required":
                names.add(owner.name)
        if not names:
            return ()
        shown = ", ".join(sorted(names)[:SHOWN])
        if len(names) > SHOWN:
            shown += ", …"
        text = Text(
            "Admins of the dashboard have addresses of %(names)s, which requires its own login: "
            "if that fails, they may not get in. Have an admin with an address elsewhere, too",
            names=shown,
        )
        return [Finding("warn", "admins", text)]

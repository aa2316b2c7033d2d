"""Whether there is anybody who may use the dashboard, for `pwless check` and the overview."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.features.dashboard.operators.changes import OperatorChanges
from pwless_middleware.flows.operators.operator_roles import OperatorRoles
from pwless_middleware.text import Text


class OperatorFindings:
    """Look for operators.

    Args:
        changes: lists those of the database.
        roles: has those of the code.
    """

    def __init__(self, changes: OperatorChanges, roles: OperatorRoles) -> None:
        self._changes = changes
        self._roles = roles

    async def find(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what was found (`Mounted.findings`)."""
        if not may_ask:
            return []
        roles = [*self._roles.in_code.values()]
        roles += [one.role for one in await self._changes.list()]
        if "admin" in roles:
            text = Text("%(count)s of the dashboard", count=len(roles))
            return [Finding("ok", "operators", text)]
        if roles:
            text = Text(
                "nobody has the role admin in the dashboard: run `pwless operator add ADDRESS`"
            )
        else:
            text = Text("nobody may use the dashboard: run `pwless operator add ADDRESS`")
        return [Finding("warn", "operators", text)]

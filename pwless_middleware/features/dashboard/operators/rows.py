"""Operators as lines of a table, with the words that people read."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.stored_operator import StoredOperator
from pwless_middleware.features.dashboard.operators.names import NAMES
from pwless_middleware.flows.operators.operator_roles import OperatorRoles
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.responses.makers import Makers


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    """One line.

    Attributes:
        id: the user's; empty of one who is named in the code.
        email: their address; empty where the user table has them no more.
        role: in words.
        at, iso: when they became one, or ceased to be; empty of one in the code.
        by: who did it, in words.
        is_self: whether it is who looks.
        is_fixed: whether it stands in the code.
    """

    id: str = ""
    email: str = ""
    role: str
    at: str = ""
    iso: str = ""
    by: str = ""
    is_self: bool = False
    is_fixed: bool = False


class OperatorRows:
    """Make the lines.

    Args:
        kit: everything below.
        roles: which the code gives.
    """

    def __init__(self, kit: Kit, roles: OperatorRoles) -> None:
        self._roles = roles
        self._makers = Makers(kit)

    async def list_all(
        self, stored: Sequence[StoredOperator], looks: Operator
    ) -> list[OperatorRow]:
        """Return the lines of all operators, those of the code first, each by address."""
        own = looks.user.email
        fixed = [
            OperatorRow(
                email=address,
                role=translate(NAMES[role]),
                is_fixed=True,
                is_self=self._roles.role_in_code(own) is not None and own.lower() == address,
            )
            for address, role in sorted(self._roles.in_code.items())
        ]
        return [*fixed, *await self.list_stored(stored, looks)]

    async def list_stored(
        self, stored: Sequence[StoredOperator], looks: Operator
    ) -> list[OperatorRow]:
        """Return the lines of operators of the database, by address."""
        emails = await self._makers.find_emails(one.user_id for one in stored)
        makers = await self._makers.name(one.by for one in stored)
        rows = [
            OperatorRow(
                id=one.user_id,
                email=emails[one.user_id],
                role=translate(NAMES[one.role]),
                at=format_time(one.added_at),
                iso=format_iso(one.added_at),
                by=makers[one.by],
                is_self=one.user_id == looks.user.id,
            )
            for one in stored
        ]
        return sorted(rows, key=lambda row: (row.email, row.id))

    async def list_removed(self, stored: Sequence[StoredOperator]) -> list[OperatorRow]:
        """Return the lines of those who were operators, in the order given."""
        emails = await self._makers.find_emails(one.user_id for one in stored)
        makers = await self._makers.name(one.by for one in stored)
        return [
            OperatorRow(
                id=one.user_id,
                email=emails[one.user_id],
                role=translate(NAMES[one.role]),
                at=format_time(one.removed_at or one.added_at),
                iso=format_iso(one.removed_at or one.added_at),
                by=makers[one.by],
            )
            for one in stored
        ]

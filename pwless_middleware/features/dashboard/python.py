"""What the dashboard offers to the host's own code: `passwordless.verbs(Dashboard)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.operator import Role
from pwless_middleware.errors import ConfigError, InvalidArgument, LoginDenied
from pwless_middleware.flows.operators.operator_roles import OperatorRoles
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.features.dashboard.operators.changes import OperatorChanges


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """One who may use the dashboard.

    Attributes:
        email: their address; empty where the user table has them no more.
        role: what they may do.
        user_id: theirs; empty of one whom the code names.
        added_at: unix seconds; `None` of one whom the code names.
        by: who made the last change; `code` of one whom the code names.
    """

    email: str
    role: Role
    user_id: str = ""
    added_at: int | None = None
    by: str = "code"


class OperatorVerbs:
    """Make operators, list them, and remove them.

        await passwordless.verbs(Dashboard).operators.add("ops@acme.example", role="support")

    Unlike the dashboard, it can give somebody more than they have (security rule 63).
    """

    def __init__(self, kit: Kit, changes: OperatorChanges, roles: OperatorRoles) -> None:
        self._kit = kit
        self._changes = changes
        self._roles = roles

    async def add(self, email: str, *, role: Role = "admin", by: str = "python") -> bool:
        """Make somebody an operator, or give an operator another role; it holds within 100 ms.

        A mail tells all admins, where it gives somebody more.

        Args:
            email: theirs, as somebody types it. Without `users=` whoever has no account gets one.
            role: `admin` (default), `support` or `view`.
            by: who does it, for list and events; `python` by default.

        Returns:
            Whether anything has changed.

        Raises:
            InvalidArgument: the address is none, or nobody's in your user table, or somebody's who
                is disabled; the role is none; or the last admin would have a lesser one.
            Unavailable: database, store or queue cannot take it.
        """
        _check_by(by)
        return (await self._changes.add(email, role, by=by, may_raise=True))[1]

    async def remove(self, who: str, *, by: str = "python") -> bool:
        """Let somebody be an operator no more, in every process within 100 ms.

        Args:
            who: their address, as somebody types it, or their id.
            by: as for `add`.

        Returns:
            Whether they were one.

        Raises:
            InvalidArgument: the code names them, or they are the last admin.
            Unavailable: as for `add`.
        """
        _check_by(by)
        address = parse_address(who)
        if address is not None and self._roles.role_in_code(address) is not None:
            text = Text("This address is named in the code: take it out there.")
            raise InvalidArgument.of("email", text, "operator")
        user_id: str | None = who
        if address is not None:
            try:
                user_id = await self._kit.users.id_of(address)
            except LoginDenied:
                user_id = None
        return bool(user_id) and await self._changes.remove(user_id or "", by=by)

    async def list(self) -> Sequence[OperatorRecord]:
        """Return all operators: those whom the code names, then the others, each by address.

        Raises:
            Unavailable: the database or your user table cannot be asked.
        """
        found = []
        for one in await self._changes.list():
            user = await self._kit.users.load(one.user_id)
            email = "" if user is None else user.email or ""
            found.append(OperatorRecord(email, one.role, one.user_id, one.added_at, one.by))
        fixed = [OperatorRecord(*pair) for pair in sorted(self._roles.in_code.items())]
        return [*fixed, *sorted(found, key=lambda one: (one.email, one.user_id))]


@dataclass(frozen=True, slots=True)
class DashboardVerbs:
    """What the dashboard can do for the host's own code.

    Attributes:
        operators: makes operators, lists them, and removes them.
    """

    operators: OperatorVerbs


def _check_by(by: object) -> None:
    if not isinstance(by, str) or not 1 <= len(by) <= 100:
        raise ConfigError("by", "say in 1 to 100 characters who does it")

"""Which role somebody has in the dashboard: asked for each of its pages, without I/O in between.

The operators of the database are few (`database.operators.operators.MOST`), so all of them are held
(`flows.signals.held_read`). A database that cannot be read lets nobody in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.operators.operator import Role, greater_role
from pwless_middleware.core.people.user import User
from pwless_middleware.flows.signals.held_read import HeldRead
from pwless_middleware.flows.signals.signals import Signals

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.operators.operators import OperatorRepository

TOPIC: Final = "operators"
"""The topic of the signal."""


class OperatorRoles:
    """Tell the roles of operators.

    Args:
        repository: keeps those who were made operators while the app runs.
        signals: tell that one was added, lowered or removed.
        in_code: those that the code names, by their addresses.
    """

    def __init__(
        self, repository: OperatorRepository, signals: Signals, in_code: Mapping[Address, Role]
    ) -> None:
        self.in_code = dict(in_code)
        self._repository = repository
        self._roles = HeldRead(self._read, signals, TOPIC)

    async def role_of(self, user: User) -> Role | None:
        """Return a user's role, the greater one of code and database; `None` for no operator.

        Args:
            user: as the user table has them now: the code names addresses, the database ids.

        Raises:
            StoreError: the database cannot be asked.
        """
        in_code = self.role_in_code(user.email)
        if in_code == "admin":  # there is no greater one
            return in_code
        return greater_role(in_code, (await self._roles.get()).get(user.id))

    def role_in_code(self, email: str) -> Role | None:
        """Return the role that the code gives to an address; `None` for none."""
        address = parse_address(email)
        return None if address is None else self.in_code.get(address)

    @property
    def has_admin_in_code(self) -> bool:
        """Whether the code names somebody with the role `admin`, whom nobody can remove."""
        return "admin" in self.in_code.values()

    def subscribe(self, listener: Callable[[], None]) -> None:
        """Have a function called whenever somebody's role may have changed; must not wait."""
        self._roles.subscribe(listener)

    def forget(self) -> None:
        """Forget what is held, so that the next one who asks is told what holds now."""
        self._roles.forget()

    async def tell(self) -> None:
        """Have every process forget what it holds; this one does so at once.

        Raises:
            StoreError: other processes cannot be told, and hold on for 30 more seconds at most.
        """
        await self._roles.tell()

    async def _read(self) -> Mapping[str, Role]:
        return {one.user_id: one.role for one in await self._repository.list()}

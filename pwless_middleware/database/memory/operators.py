"""Operators in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.stored_operator import StoredOperator
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople
from pwless_middleware.database.operators.operators import MOST, Change, loses_admin


class MemoryOperators:
    """Keep operators in this process (`database.operators.operators.OperatorRepository`).

    Args:
        people: say who can sign in.
        events: takes the events of changes.
    """

    def __init__(self, people: MemoryPeople, events: MemoryEvents) -> None:
        self._people = people
        self._events = events
        self._operators: dict[str, StoredOperator] = {}

    async def find(self, user_id: str) -> StoredOperator | None:
        """Return the operator with this user id, removed or not, or `None`."""
        return self._operators.get(user_id)

    async def list(self) -> Sequence[StoredOperator]:
        """Return all who are operators."""
        return [one for _, one in sorted(self._operators.items()) if one.is_live]

    async def list_removed(self, *, after: str = "", limit: int = 50) -> Sequence[StoredOperator]:
        """Return those who were operators, by user id."""
        found = [one for id, one in sorted(self._operators.items()) if id > after]
        return [one for one in found if not one.is_live][:limit]

    async def put(
        self,
        operator: StoredOperator,
        *,
        seen: StoredOperator | None,
        has_other_admin: bool = False,
        audit: Event | None = None,
    ) -> Change:
        """Keep an operator in the place of what was seen."""
        others = [one for one in await self.list() if one.user_id != operator.user_id]
        people = [await self._people.find(one.user_id) for one in others if one.role == "admin"]
        if self._operators.get(operator.user_id) != seen:
            return "stale"
        can_sign_in = any(person is None or not person.is_disabled for person in people)
        if loses_admin(operator, seen) and not (has_other_admin or can_sign_in):
            return "last_admin"
        if operator.is_live and (seen is None or not seen.is_live) and len(others) >= MOST:
            return "full"
        self._operators[operator.user_id] = operator
        if audit is not None:
            self._events.insert(audit)
        return "done"

    async def erase(self, user_id: str) -> None:
        """Forget that somebody is or was an operator, and what they did to others."""
        self._operators.pop(user_id, None)
        by, stand_in = f"operator:{user_id}", f"operator:{new_stand_in()}"
        for id, one in self._operators.items():
            if one.by == by:
                self._operators[id] = replace(one, by=stand_in)

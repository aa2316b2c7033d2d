"""An operator whom the database keeps: what somebody was made while the app runs."""

from __future__ import annotations

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.operator import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOperator:
    """One row about an operator, which stays when they are removed.

    So the role that somebody had is known, and whoever adds them again in the dashboard cannot give
    them more (security rule 63).

    Attributes:
        user_id: whose.
        role: what they may do; of one who was removed, what they could.
        added_at: unix seconds since when they are an operator.
        by: who made the last change.
        removed_at: unix seconds since when they are none; `None` if they are.
    """

    user_id: str
    role: Role
    added_at: int
    by: str
    removed_at: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether they are an operator."""
        return self.removed_at is None

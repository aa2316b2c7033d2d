"""One step of the schema."""

from __future__ import annotations

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.database.statement import Statement


@dataclass(frozen=True, slots=True)
class Migration:
    """What one version adds to the tables.

    Attributes:
        name: what it is about, in a word or two.
        statements: the SQL, in order.
    """

    name: str
    statements: tuple[Statement, ...]

"""All repositories in memory, for tests."""

from __future__ import annotations

from pwless_middleware.database.memory.events import MemoryEvents
from pwless_middleware.database.memory.people import MemoryPeople
from pwless_middleware.database.repositories import Repositories


def make_memory_repositories() -> Repositories:
    """Return empty repositories that last as long as they are held."""
    return Repositories(people=MemoryPeople(), events=MemoryEvents())

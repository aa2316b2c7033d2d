"""Templates in memory, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.operators.mail_template import MailTemplate, TemplateVersion
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.events import MemoryEvents


class MemoryMailTemplates:
    """Keep templates as long as they are held.

    Args:
        events: are written with them.
    """

    def __init__(self, events: MemoryEvents) -> None:
        self._events = events
        self._versions: dict[tuple[str, str], list[MailTemplate]] = {}

    async def newest(self) -> Sequence[TemplateVersion]:
        """Return the newest version of each template."""
        return [self._versions[key][-1].version for key in sorted(self._versions)]

    async def find(self, name: str, language: str, version: int) -> MailTemplate | None:
        """Return a version with its texts, or `None`."""
        found = self._versions.get((name, language), [])
        return found[version - 1] if 0 < version <= len(found) else None

    async def add(self, template: MailTemplate, *, audit: Event | None = None) -> bool:
        """Make a version the one that holds, if it is the next one."""
        head = template.version
        versions = self._versions.get((head.name, head.language), [])
        if head.version != len(versions) + 1:
            return False
        self._versions[head.name, head.language] = [*versions, template]
        if audit is not None:
            self._events.insert(audit)
        return True

    async def list(
        self, name: str, language: str, *, before: int = 0, limit: int = 50
    ) -> Sequence[TemplateVersion]:
        """Return versions of a template, the newest first."""
        found = [one.version for one in reversed(self._versions.get((name, language), []))]
        return [one for one in found if not before or one.version < before][:limit]

    async def erase(self, user_id: str) -> None:
        """Forget who made the versions that an operator with this id has made."""
        by = f"operator:{new_stand_in()}"
        for versions in self._versions.values():
            for index, one in enumerate(versions):
                if one.version.by == f"operator:{user_id}":
                    versions[index] = replace(one, version=replace(one.version, by=by))

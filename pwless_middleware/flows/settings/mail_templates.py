"""Templates for operators: read, edited, and taken back, with who did it and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pwless_middleware.core.operators.mail_template import MailTemplate, TemplateVersion
from pwless_middleware.errors import PwlessError
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.settings.current_templates import TOPIC, CurrentTemplates
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.rendering.mail_templates.rules import TemplateRules
from pwless_middleware.rendering.mail_templates.template import Fault, ReadTemplate, Texts

if TYPE_CHECKING:
    from pwless_middleware.database.operators.mail_templates import MailTemplateRepository


class TemplateRefused(PwlessError):
    """A template holds what is not admitted; nothing was saved.

    Args:
        faults: what it is, one at least.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{one.part}, line {one.line}: {one.reason}" for one in faults))
        self.faults = tuple(faults)


class TemplateConflict(PwlessError):
    """Somebody else has changed the template meanwhile; nothing was saved.

    Args:
        newest: their version.
    """

    def __init__(self, newest: TemplateVersion) -> None:
        super().__init__(
            f"{newest.by} has changed it in version {newest.version}: look at it again"
        )
        self.newest = newest


class MailTemplates:
    """Read and change the templates of mails and text messages.

    Args:
        repository: where they are.
        current: keeps them current in this process.
        rules: say what they may hold.
        events: record changes.
        signals: tell other processes.
        clock: returns unix seconds.

    Attributes:
        rules: as given.
    """

    def __init__(
        self,
        repository: MailTemplateRepository,
        current: CurrentTemplates,
        rules: TemplateRules,
        *,
        events: Events,
        signals: Signals,
        clock: Callable[[], int],
    ) -> None:
        self.rules = rules
        self._repository = repository
        self._current = current
        self._events = events
        self._signals = signals
        self._clock = clock

    async def newest(self) -> Mapping[tuple[str, str], TemplateVersion]:
        """Return the newest version of each template that was ever changed, by name and language.

        Raises:
            StoreError: the database cannot be asked.
        """
        found = await self._repository.newest()
        return {(one.name, one.language): one for one in found}

    async def find(self, name: str, language: str, version: int) -> MailTemplate | None:
        """Return a version, or `None`.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._repository.find(name, language, version)

    async def versions(
        self, name: str, language: str, *, before: int = 0, limit: int = 50
    ) -> Sequence[TemplateVersion]:
        """Return versions of a template, the newest first.

        Args:
            name, language: which template.
            before: the last one of the page before; 0 begins.
            limit: how many at most.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._repository.list(name, language, before=before, limit=limit)

    async def read(self, name: str, texts: Texts) -> tuple[ReadTemplate | None, tuple[Fault, ...]]:
        """Return a template, or what is wrong with it: one of the largest size takes a while.

        Args:
            name: of the mail or text message.
            texts: its parts.
        """
        return await asyncio.to_thread(self.rules.read, name, texts)

    async def save(
        self, name: str, language: str, texts: Texts, *, seen: int, by: str
    ) -> TemplateVersion:
        """Send these texts from now on: here at once, in every process within 100 ms.

        Args:
            name: of the mail or text message.
            language: the code of its language.
            texts: its parts.
            seen: the version that they were made of; 0 where it was never changed.
            by: who changes it.

        Returns:
            The version that holds.

        Raises:
            TemplateRefused: they hold what is not admitted.
            TemplateConflict: somebody else has changed it since.
            StoreError: the database cannot be asked; or other processes cannot be told, and hear
                of it within 30 seconds.
        """
        read, faults = await self.read(name, texts)
        if read is None:
            raise TemplateRefused(faults)
        version = self._version(name, language, seen, by)
        return await self._add(MailTemplate(version=version, **texts._asdict()), seen)

    async def reset(self, name: str, language: str, *, seen: int, by: str) -> TemplateVersion:
        """Send ours again, as a new version.

        Args:
            name, language, seen, by: as for `save`.

        Raises:
            TemplateConflict, StoreError: as for `save`.
        """
        version = self._version(name, language, seen, by, is_ours=True)
        return await self._add(MailTemplate(version=version), seen)

    def _version(
        self, name: str, language: str, seen: int, by: str, *, is_ours: bool = False
    ) -> TemplateVersion:
        return TemplateVersion(
            name=name,
            language=language,
            version=seen + 1,
            at=self._clock(),
            by=by,
            is_ours=is_ours,
        )

    async def _add(self, template: MailTemplate, seen: int) -> TemplateVersion:
        new = template.version
        old = await self._newest(new)
        if (old.version if old is not None else 0) != seen:
            raise TemplateConflict(old or new)
        event = self._events.make(
            "template.changed",
            by=new.by,
            details={
                "name": new.name,
                "language": new.language,
                "from": str(seen) if old is not None and not old.is_ours else "ours",
                "to": "ours" if new.is_ours else str(new.version),
            },
        )
        if not await self._repository.add(template, audit=event):
            raise TemplateConflict(await self._newest(new) or new)
        self._events.publish(event)
        await self._current.load()
        await self._signals.tell(TOPIC)
        return new

    async def _newest(self, one: TemplateVersion) -> TemplateVersion | None:
        found = await self._repository.list(one.name, one.language, limit=1)
        return found[0] if found else None

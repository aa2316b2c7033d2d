"""The templates that operators have edited, kept current in this process.

Read as the process begins, again within 100 ms of a change (`flows.signals`), and now and then;
only what has changed. A mail looks its template up, and waits for nothing. One that cannot be used
is left out, and ours is sent: rules may have become stricter since it was saved, or the app has
another address now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.operators.mail_template import MailTemplate
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import StoreError
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.signals.refresh import Refresh
from pwless_middleware.tracebacks import traceback_without_text

if TYPE_CHECKING:  # who has no database need not wait for its SQL, nor for the parser
    from pwless_middleware.database.operators.mail_templates import MailTemplateRepository
    from pwless_middleware.rendering.mail_templates.template import ReadTemplate

logger = logging.getLogger("pwless.mail_templates")

TOPIC: Final = "mail_templates"
"""The topic of the signal."""

ReadStored = Callable[[MailTemplate], "ReadTemplate | None"]
"""Reads what was saved as a template; `None` where it is not admitted any more."""

ReadPayload = Callable[[bytes], Awaitable[Outcome | Delivery]]
"""Reads a job of the queue."""


class CurrentTemplates:
    """Keep the templates current.

    Args:
        repository: where they are.
        read: reads one as a template.
        events: are told of one that cannot be used.
    """

    def __init__(
        self, repository: MailTemplateRepository, read: ReadStored, events: Events
    ) -> None:
        self._repository = repository
        self._read = read
        self._events = events
        self._stored: Mapping[tuple[str, str], MailTemplate] = {}
        self._ready: dict[tuple[str, str], ReadTemplate | None] = {}
        self._is_current = False
        self._is_told = False
        self._asked = 0
        self._holds_since = 0
        self._refresh = Refresh(self._load_or_log)

    def find(self, name: str, language: str) -> ReadTemplate | None:
        """Return the template of a mail that an operator has made, or `None` where ours holds.

        Args:
            name: of the mail.
            language: the code of its language.
        """
        return self._ready.get((name, language))

    def leave_out(self, name: str, language: str) -> None:
        """Send ours instead of a template that could not be filled, until it is changed."""
        stored = self._stored.get((name, language))
        if stored is not None and self._ready.get((name, language)) is not None:
            self._ready[name, language] = None
            self._tell(stored, "failed")

    # --- keeping it current ----------------------------------------------------------------------

    async def ensure_current(self) -> None:
        """Return once what is known of holds here, at once in all but the first moments.

        A database that cannot be asked holds up no mail: what was known before is sent, or ours.
        """
        if not self._is_current:
            await self._load_or_log()

    def before(self, read: ReadPayload) -> ReadPayload:
        """Return what reads a job of the queue once they are current."""

        async def read_after(payload: bytes) -> Outcome | Delivery:
            await self.ensure_current()
            return await read(payload)

        return read_after

    def look(self) -> None:
        """Have them read soon, and before the next mail; from any thread."""
        self._is_current = False
        self._refresh.look()

    async def run(self) -> None:
        """Keep them current in the running event loop, until cancelled."""
        await self._refresh.run()

    async def load(self) -> None:
        """Read what has changed.

        Raises:
            StoreError: the database cannot be asked.
        """
        self._asked += 1
        asked, before = self._asked, self._stored
        self._is_current = True  # until a signal says otherwise, also one while this is read
        try:
            stored: dict[tuple[str, str], MailTemplate] = {}
            for version in await self._repository.newest():
                key = (version.name, version.language)
                known = before.get(key)
                if version.is_ours:
                    continue
                if known is not None and known.version == version:
                    stored[key] = known
                    continue
                found = await self._repository.find(*key, version.version)
                if found is not None:
                    stored[key] = found
        except BaseException:
            self._is_current = False
            raise
        ready = dict(self._ready)
        for key in {*before, *stored}:
            if before.get(key) is not stored.get(key):
                ready.pop(key, None)
        for key, template in stored.items():
            if key not in ready:
                ready[key] = await asyncio.to_thread(self._read_or_refuse, template)
        if asked > self._holds_since:  # else a slow answer would take back what came since
            self._holds_since = asked
            new = [key for key in stored if self._stored.get(key) is not stored[key]]
            self._stored, self._ready = stored, ready
            for key in new:
                if ready[key] is None:
                    self._tell(stored[key], "refused")

    def _read_or_refuse(self, template: MailTemplate) -> ReadTemplate | None:
        try:
            return self._read(template)
        except Exception as error:  # a damaged row must not hold up every mail
            logger.error(
                "a template that was saved cannot be read:\n%s",
                traceback_without_text(error),
                extra={"event": "mail_template_failed"},
            )
            return None

    async def _load_or_log(self) -> bool:
        try:
            await self.load()
        except StoreError as error:
            if not self._is_told:
                self._is_told = True
                logger.warning(
                    "the templates of mails cannot be read, and those known before are sent: %s",
                    error,
                    extra={"event": "mail_templates_unread"},
                )
            return False
        self._is_told = False
        return True

    def _tell(self, template: MailTemplate, reason: str) -> None:
        version = template.version
        logger.error(
            "version %d of the template %s (%s) cannot be used (%s), and ours is sent",
            version.version,
            version.name,
            version.language,
            reason,
            extra={"event": "mail_template_failed"},
        )
        self._events.record(
            "template.failed",
            details={
                "name": version.name,
                "language": version.language,
                "version": str(version.version),
            },
            reason=reason,
        )

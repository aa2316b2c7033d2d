"""What DNS says of the sender's domain, looked up behind the page, and kept for a while."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.text import Text
from pwless_middleware.tracebacks import traceback_without_text

logger = logging.getLogger("pwless.dashboard")

KEPT: Final = 600
"""Seconds after which it is looked up again, when somebody looks."""
PATIENCE: Final = 15.0
"""Seconds for all questions about one domain."""

LookUp = Callable[[str], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True)
class DomainReport:
    """What is known of a domain.

    Attributes:
        domain: which.
        findings: what DNS says; `None` while it is being asked.
        at: when it was asked, unix seconds.
    """

    domain: str
    findings: tuple[Finding, ...] | None
    at: int


class _Asked:
    """One event loop's questions: when each was asked, and its answer."""

    def __init__(self) -> None:
        self.at: dict[str, int] = {}
        self.tasks: dict[str, asyncio.Task[tuple[Finding, ...]]] = {}
        self.known: dict[str, DomainReport] = {}


class SenderDomains:
    """Tell what is known, and have it looked up where that is old.

    Args:
        domains: returns which.
        look_up: asks DNS about one.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        domains: Callable[[], Sequence[str]],
        look_up: LookUp,
        clock: Callable[[], int],
    ) -> None:
        self._domains = domains
        self._look_up = look_up
        self._clock = clock
        self._asked: PerLoop[_Asked] = PerLoop(_Asked)

    def reports(self) -> list[DomainReport]:
        """Return what is known now, and begin to ask what is not, or not any more; never waits."""
        asked, now = self._asked.here(), self._clock()
        for domain in self._domains():
            task = asked.tasks.get(domain)
            if task is not None and task.done():
                del asked.tasks[domain]
                asked.known[domain] = DomainReport(domain, task.result(), asked.at[domain])
            known = asked.known.get(domain)
            if domain not in asked.tasks and (known is None or now - known.at >= KEPT):
                # In a context of its own: the request's time limit is not this one's.
                asked.at[domain] = now
                asked.tasks[domain] = asyncio.get_running_loop().create_task(
                    self._ask(domain), context=Context()
                )
        return [
            asked.known.get(domain) or DomainReport(domain, None, now) for domain in self._domains()
        ]

    @asynccontextmanager
    async def keep(self) -> AsyncIterator[None]:
        """End what is being asked as this is left."""
        try:
            yield
        finally:
            asked = self._asked.pop()
            tasks = list(asked.tasks.values()) if asked is not None else []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, domain: str) -> tuple[Finding, ...]:
        try:
            async with asyncio.timeout(PATIENCE):
                return tuple(await self._look_up(domain))
        except TimeoutError:
            text = Text("DNS does not answer here: %(error)s", error="TimeoutError")
        except Exception as error:  # a mistake; the page has more to show than this
            logger.error(
                "the DNS records of %s could not be looked up:\n%s",
                domain,
                traceback_without_text(error),
                extra={"event": "dns_failed"},
            )
            text = Text("DNS does not answer here: %(error)s", error=type(error).__name__)
        return (Finding("skip", "dns", text),)

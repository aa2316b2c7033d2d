"""What features say of their own health, for `{prefix}/health`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Final

from pwless_middleware.per_loop import PerLoop
from pwless_middleware.tracebacks import traceback_without_text

logger = logging.getLogger("pwless.health")

HealthCheck = Callable[[], Awaitable[None]]
"""Returns if all is well, and raises if it is not."""

SECONDS: Final = 1.0
"""How long a check may take; a load balancer waits for the answer."""


class HealthChecks:
    """Ask all checks at once, at most once a second.

    Args:
        clock: gives unix seconds.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._checks: dict[str, HealthCheck] = {}
        self._last: PerLoop[_Answers] = PerLoop(_Answers)

    def add(self, name: str, check: HealthCheck) -> None:
        """Have something checked; no two have one name (`web.mounting.wiring`)."""
        self._checks[name] = check

    @property
    def names(self) -> Sequence[str]:
        """What is checked."""
        return tuple(self._checks)

    async def down(self) -> Sequence[str]:
        """Return the names of what is down, as it was asked in this second."""
        if not self._checks:
            return ()
        last, now = self._last.here(), self._clock()
        if last.task is None or (last.task.done() and last.at != now):
            # In a context of its own: the time limit of whoever came first is not the others'.
            task = asyncio.get_running_loop().create_task(self._ask(), context=Context())
            last.at, last.task = now, task
        return await asyncio.shield(last.task)

    async def _ask(self) -> Sequence[str]:
        answers = await asyncio.gather(*(self._is_up(name) for name in self._checks))
        return [name for name, is_up in zip(self._checks, answers, strict=True) if not is_up]

    async def _is_up(self, name: str) -> bool:
        try:
            async with asyncio.timeout(SECONDS):
                await self._checks[name]()
        except Exception as error:
            logger.warning(
                "%s is down:\n%s",
                name,
                traceback_without_text(error),
                extra={"event": "check_failed", "check": name},
            )
            return False
        return True


class _Answers:
    """One event loop's last answers: when they were asked for, and what they are."""

    def __init__(self) -> None:
        self.at = 0
        self.task: asyncio.Task[Sequence[str]] | None = None

"""What features hold open beside the requests: a client's connections, a subscription, a file.

A feature's lifespan is an async context manager, entered once for each event loop: before the app's
startup is complete, or with the first request of a loop that has no startup (inside a `Mount`, in
tests). It is entered and left in one task, as task groups need it, and those of all features are
left in reverse.

One that fails at the startup stops it, by name. One that fails later is logged, and stops its own
feature alone: whatever the feature mounts waits for it, and is not available until another try has
worked. A rule that cannot ask what it has to ask lets nobody in.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from typing import Final

from pwless_middleware.errors import ConfigError, Unavailable
from pwless_middleware.per_loop import PerLoop
from pwless_middleware.tracebacks import traceback_without_text

logger = logging.getLogger("pwless.lifetime")

Lifespan = Callable[[], AbstractAsyncContextManager[object]]
"""Makes the context manager that is entered; called once for each event loop."""

PATIENCE: Final = 5.0
"""Seconds that a request waits for its feature's lifespan, and a shutdown for one to end."""
AGAIN: Final = 5.0
"""Seconds until a lifespan that has failed is tried again, when it is asked for."""


class _Held:
    """One feature's lifespan in one event loop."""

    def __init__(self, feature: str, lifespan: Lifespan) -> None:
        loop = asyncio.get_running_loop()
        self.feature = feature
        self.began = loop.time()
        self._lifespan = lifespan
        self._end = asyncio.Event()
        self.entered: asyncio.Future[Exception | None] = loop.create_future()
        """Set as it is entered: `None`, or what went wrong."""
        self.task = loop.create_task(self._hold(), context=Context())

    @property
    def has_failed(self) -> bool:
        return self.entered.done() and self.entered.result() is not None

    async def _hold(self) -> None:
        try:
            async with self._lifespan():
                self.entered.set_result(None)
                await self._end.wait()
        except Exception as error:
            logger.error(
                "the lifespan of %s failed:\n%s",
                self.feature,
                traceback_without_text(error),
                extra={"event": "lifespan_failed", "feature": self.feature},
            )
            if not self.entered.done():
                self.entered.set_result(error)

    async def close(self) -> None:
        """Leave it; after `PATIENCE` it is cancelled."""
        self._end.set()
        _, late = await asyncio.wait((self.task,), timeout=PATIENCE)
        if late:
            logger.error(
                "the lifespan of %s did not end in %g s",
                self.feature,
                PATIENCE,
                extra={"event": "lifespan_failed", "feature": self.feature},
            )
            self.task.cancel()
            await asyncio.wait((self.task,))


class Lifespans:
    """Enter and leave the lifespans of features, once for each event loop."""

    def __init__(self) -> None:
        self._lifespans: dict[str, Lifespan] = {}
        self._held: PerLoop[dict[str, _Held]] = PerLoop(dict)

    def add(self, feature: str, lifespan: Lifespan) -> None:
        """Have a feature's lifespan entered."""
        self._lifespans[feature] = lifespan

    def start(self) -> None:
        """Begin to enter those that are not, in the running event loop; never waits."""
        for feature in self._lifespans:
            self._hold(feature)

    async def open(self) -> None:
        """Enter all of them.

        Raises:
            ConfigError: one of them has failed; it is named, and the others are left again.
        """
        self.start()
        for feature in self._lifespans:
            error = await self._hold(feature).entered
            if error is not None:
                await self.close()
                said = f"{type(error).__name__}: {error}"
                raise ConfigError(
                    "features", f"the lifespan of {feature} failed: {said}"
                ) from error

    async def require(self, feature: str) -> None:
        """Wait until a feature's lifespan is entered.

        Raises:
            Unavailable: it has failed, or takes too long.
        """
        held = self._hold(feature)
        try:
            async with asyncio.timeout(PATIENCE):
                error = await asyncio.shield(held.entered)
        except TimeoutError as exc:
            raise Unavailable from exc
        if error is not None:
            raise Unavailable from error

    async def close(self) -> None:
        """Leave those of the running event loop, the last one first."""
        held = self._held.pop() or {}
        for one in reversed([held[name] for name in self._lifespans if name in held]):
            await one.close()

    def _hold(self, feature: str) -> _Held:
        held, now = self._held.here(), asyncio.get_running_loop().time()
        one = held.get(feature)
        if one is None or (one.has_failed and now >= one.began + AGAIN):
            one = held[feature] = _Held(feature, self._lifespans[feature])
        return one

"""What would go wrong in production, as far as it is found without asking anybody elsewhere.

`pwless check` tells it before the app is served, the overview of the dashboard while it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol
from weakref import WeakMethod

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.errors import ConfigError, StoreError
from pwless_middleware.tracebacks import traceback_without_text

if TYPE_CHECKING:  # and not loaded before somebody asks
    from pwless_middleware.web.findings.production_checks import Deployment

logger = logging.getLogger("pwless.check")


class Check(Protocol):
    """What a feature looks at (`Mounted.findings`)."""

    async def __call__(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what was found; asks nobody but the database, and writes nothing.

        Args:
            may_ask: whether the database may be asked; off where its tables are of another version.

        Raises:
            StoreError, ConfigError: the database cannot be asked; that is told elsewhere.
        """
        ...


class Findings:
    """Look at the options, and have the features look at what is theirs."""

    def __init__(self) -> None:
        self._describe: WeakMethod[Callable[[], Deployment]] | None = None
        self._checks: tuple[Check, ...] = ()

    def bind(self, describe: Callable[[], Deployment], checks: Iterable[Check]) -> None:
        """Take what there is to look at, once everything is mounted.

        Args:
            describe: a method that returns how the login is set up. Whose it is, is not kept alive:
                a store that several share holds what hears of it, and so the features.
            checks: of all features.
        """
        self._describe, self._checks = WeakMethod(describe), tuple(checks)

    @property
    def deployment(self) -> Deployment | None:
        """How the login is set up; `None` before everything is mounted."""
        describe = None if self._describe is None else self._describe()
        return None if describe is None else describe()

    def of_options(self, *, mount: str = "", workers: int = 1) -> list[Finding]:
        """Return what is told by the options alone.

        Args:
            mount: the path below which the middleware is mounted; empty for the root, or where it
                is not known.
            workers: how many processes serve it.
        """
        from pwless_middleware.web.findings.production_checks import check_deployment

        deployment = self.deployment
        if deployment is None:
            return []
        return list(check_deployment(deployment, mount=mount, workers=workers))

    async def of_features(self, *, may_ask: bool = True) -> list[Finding]:
        """Return what the features find; one that fails is logged, and finds nothing.

        Args:
            may_ask: whether the database may be asked.
        """
        found: list[Finding] = []
        for check in self._checks:
            try:
                found += await check(may_ask=may_ask)
            except (
                StoreError,
                ConfigError,
            ):  # which the check of the database, or the health, tells
                continue
            except Exception as error:
                logger.error(
                    "a check failed:\n%s",
                    traceback_without_text(error),
                    extra={"event": "check_failed", "check": type(error).__name__},
                )
        return found

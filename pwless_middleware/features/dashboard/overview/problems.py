"""What `pwless check` would warn of, as far as it is found without asking anybody elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.database.file_checks import check_file
from pwless_middleware.languages.current import translate
from pwless_middleware.web.kit import Kit

KEPT_SECONDS: Final = 60
"""How long what was found is shown before it is looked for again."""
SECONDS: Final = 1.5
"""How long a look may take; the page waits for it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Attributes:
        check: what was looked at, as `pwless check` calls it.
        message: what was found, and what to set.
        is_failure: whether it goes wrong for sure.
    """

    check: str
    message: str
    is_failure: bool


class Problems:
    """Look for them, at most once a minute.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._found: Sequence[Finding] = ()
        self._looked_at = -KEPT_SECONDS

    async def find(self) -> list[Problem]:
        """Return what is to be mended, the failures first."""
        now = self._kit.clock()
        if not 0 <= now - self._looked_at < KEPT_SECONDS:
            with suppress(TimeoutError):  # then what was found last
                async with asyncio.timeout(SECONDS):
                    self._found, self._looked_at = await self._look(), now
        found = [
            Problem(one.check, translate(one.message), one.level == "fail") for one in self._found
        ]
        return sorted(found, key=lambda one: not one.is_failure)

    async def _look(self) -> Sequence[Finding]:
        kit = self._kit
        path = kit.database.path if kit.database is not None else None
        found = [
            *kit.findings.of_options(),
            *(check_file(path) if path is not None else ()),
            *await kit.findings.of_features(),
        ]
        return [one for one in found if one.level in ("warn", "fail")]

"""What is found out about an installation: a line of `pwless check`, and of the dashboard."""

from __future__ import annotations

from typing import Literal

from pwless_middleware.core.dataclass import dataclass

Level = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out about an app.

    Attributes:
        level: `fail` will go wrong in production; `warn` may; `skip` could not be looked at.
        check: what was looked at, one word.
        message: what was found and, unless it is ok, what to set. Never holds a secret. A `Text`
            where the dashboard shows it too, which translates it.
        prefix: of the login that it is about; empty where there is one login, or none.
    """

    level: Level
    check: str
    message: str
    prefix: str = ""

    def __str__(self) -> str:
        name = f"{self.prefix} {self.check}".strip()
        return f"{self.level:<5} {name:<14} {self.message}"

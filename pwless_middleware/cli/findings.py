"""The findings of `check`, one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out about an app.

    Attributes:
        level: `fail` will go wrong in production; `warn` may; `skip` could not be looked at.
        check: what was looked at, one word.
        message: what was found and, unless it is ok, what to set. Never holds a secret.
        prefix: of the login that it is about; empty where there is one login, or none.
    """

    level: Level
    check: str
    message: str
    prefix: str = ""

    def __str__(self) -> str:
        name = f"{self.prefix} {self.check}".strip()
        return f"{self.level:<5} {name:<14} {self.message}"

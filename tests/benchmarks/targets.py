"""What is compared: each target by its name, made only where it is asked for.

Every target answers `GET /` with the address of who is signed in, or `nobody`, so that a wrong
answer shows; those with a login also start and finish one, as a browser does.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from starlette.types import ASGIApp

KEY = "gT4vX9qLw2ZrB7mKc5NhD8sJf3YpE6uA1x"
"""A sample secret for all targets; 34 bytes."""
WHO = "jo@example.com"

_HOMES = {
    "bare Starlette": "bare:bare",
    "SessionMiddleware": "bare:session",
    "AuthenticationMiddleware, signed cookie": "bare:signed",
    "fastapi-users, JWT cookie": "fastapi_users_app:jwt",
    "fastapi-users, database": "fastapi_users_app:database",
    "django-allauth": "allauth_app:allauth",
    "ours, memory": "ours:memory",
    "ours, Redis": "ours:redis",
    "ours, SQLite": "ours:sqlite",
    "ours, PostgreSQL": "ours:postgresql",
    "ours, every feature": "ours:everything",
    "floor, memory": "floor:memory",
    "floor, Redis": "floor:redis",
}
BARE, SESSION = "bare Starlette", "SessionMiddleware"


class Catch:
    """Keep what was mailed, and to whom; in front of a real mail server where there is one."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def take(self, to: str, text: str) -> None:
        """Keep a mail's text."""
        self.texts[to] = text

    def code(self, to: str) -> str:
        """Read the code as a person does: the digits that stand on their own."""
        found = re.search(r"(?m)(?<![\w-])(\d{6}|[A-Z0-9]{3,4}-?[A-Z0-9]{3,4})$", self.texts[to])
        assert found, self.texts[to]
        return found[1]


class SignIn(Protocol):
    """Start and finish one login, as a browser does."""

    async def send(self, email: str, client: str) -> bytes:
        """Ask for the mail; give what the browser must bring along."""
        ...

    async def verify(self, brought: bytes, code: str, client: str) -> bytes:
        """Hand in the code; give the `Cookie` header of who is signed in."""
        ...


async def nothing() -> None:
    """Close what needs no closing."""


@dataclass(frozen=True)
class Target:
    """One thing to measure.

    Attributes:
        app: answers `GET /`.
        sign_in: makes a session for an address, by whatever way is quickest, and gives its
            `Cookie` header.
        login: the real way in; `None` if it has none.
        catch: the mails.
        aclose: gives back connections.
        prepare: makes accounts, where a login needs them beforehand.
    """

    app: ASGIApp
    sign_in: Callable[[str], Awaitable[bytes]]
    login: SignIn | None = None
    catch: Catch | None = None
    aclose: Callable[[], Awaitable[None]] = nothing
    prepare: Callable[[list[str]], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Place:
    """Where a target's surroundings are.

    Attributes:
        redis_url: the server; empty for none.
        postgres_url: another; empty for none.
        folder: where files of SQLite go.
        smtp_port: a sink on 127.0.0.1; 0 hands mails to nobody.
        prefix: of what is ours; one for each time that a target is served, since limits are on.
    """

    redis_url: str = ""
    postgres_url: str = ""
    folder: str = ""
    smtp_port: int = 0
    prefix: str = "bench"


def build(name: str, place: Place) -> Target:
    """Make a target."""
    module, _, function = _HOMES[name].partition(":")
    made = getattr(import_module(f"tests.benchmarks.apps.{module}"), function)(place)
    assert isinstance(made, Target)
    return made

"""The check of operators: whether there is anybody who may use the dashboard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pwless_middleware.cli.database_checks import PATIENCE
from pwless_middleware.cli.findings import Finding
from pwless_middleware.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from pwless_middleware.passwordless import Passwordless


async def check_operators(passwordless: Passwordless, *, is_ready: bool) -> list[Finding]:
    """Tell of a dashboard without anybody who may use it, or decide in it.

    Args:
        passwordless: the login.
        is_ready: whether its database is there and up to date.
    """
    from pwless_middleware.features.dashboard import Dashboard

    database = passwordless.database
    try:
        operators = passwordless.verbs(Dashboard).operators
    except ConfigError:  # it is not among the features
        return []
    if database is None or not is_ready:
        return []
    try:
        async with asyncio.timeout(PATIENCE):
            roles = [one.role for one in await operators.list()]
    except Unavailable:  # which other checks tell
        return []
    finally:
        await database.aclose()
    if "admin" in roles:
        return [Finding("ok", "operators", f"{len(roles)} of the dashboard")]
    text = "nobody has the role admin in" if roles else "nobody may use"
    return [
        Finding("warn", "operators", f"{text} the dashboard: run `pwless operator add ADDRESS`")
    ]

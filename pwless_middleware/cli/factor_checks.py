"""The check of second factors: whether there are any that nobody is asked for.

Who has taken `SecondFactors` out of the features lets everybody in by the first factor alone, those
too who have added a second one to be asked for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pwless_middleware.cli.database_checks import PATIENCE
from pwless_middleware.cli.findings import Finding
from pwless_middleware.database.database import Database
from pwless_middleware.database.factors import SQLFactors
from pwless_middleware.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from pwless_middleware.passwordless import Passwordless


async def check_second_factors(passwordless: Passwordless, *, is_ready: bool) -> list[Finding]:
    """Tell of second factors that nobody is asked for.

    Args:
        passwordless: the login.
        is_ready: whether its database is there and up to date.
    """
    database = passwordless.database
    if database is None or not is_ready or _are_asked_for(passwordless):
        return []
    counts = await _count(database)
    if not counts:
        return []
    text = f"the database has {_amount(counts)}, for which nobody is asked: "
    return [Finding("warn", "second_factors", text + "add SecondFactors() to the features")]


def _are_asked_for(passwordless: Passwordless) -> bool:
    from pwless_middleware.features.second_factors import SecondFactors

    try:
        passwordless.verbs(SecondFactors)
    except ConfigError:  # they are not among the features
        return False
    return True


async def _count(database: Database) -> Mapping[str, int]:
    try:
        async with asyncio.timeout(PATIENCE):
            return await SQLFactors(database).count_by_kind()
    except StoreError:  # which the check of the database has told
        return {}
    finally:
        await database.aclose()


def _amount(counts: Mapping[str, int]) -> str:
    names = {"totp": "authenticator app", "sms": "phone number"}
    return " and ".join(
        f"{counts[kind]} {name}{'s' * (counts[kind] != 1)}"
        for kind, name in names.items()
        if kind in counts
    )

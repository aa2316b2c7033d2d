"""Passkeys and second factors in the database that nobody is asked for any more.

Who has taken `SecondFactors` out of the features lets everybody in by the first factor alone, those
too who have added a second one to be asked for it; and passkeys without `Passkeys` open nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories

_FACTORS: Final = ("totp", "sms")


class UnusedProofs:
    """Look for them.

    Args:
        repositories: what the database keeps.
        proves: the methods of all features that are mounted (`Mounted.proves`).
    """

    def __init__(self, repositories: Repositories, proves: Collection[str]) -> None:
        self._repositories = repositories
        self._proves = proves

    async def find(self, *, may_ask: bool) -> list[Finding]:
        """Return what was found (`Mounted.findings`)."""
        if not may_ask:
            return []
        found = []
        if "passkey" not in self._proves:
            count = sum((await self._repositories.passkeys.count_by_rp_id()).values())
            found += [_passkeys(count)] if count else []
        if not any(method in self._proves for method in (*_FACTORS, "recovery_code")):
            kinds = await self._repositories.factors.count_by_kind()
            found += [_factors(kinds)] if kinds else []
        return found


def _passkeys(count: int) -> Finding:
    text = Text.for_count(
        "the database has %(n)s passkey, with which nobody can sign in: add Passkeys() to the "
        "features",
        "the database has %(n)s passkeys, with which nobody can sign in: add Passkeys() to the "
        "features",
        count,
    )
    return Finding("warn", "passkeys", text)


def _factors(counts: Mapping[str, int]) -> Finding:
    apps, phones = (counts.get(kind, 0) for kind in _FACTORS)
    of_apps = Text.for_count("%(n)s authenticator app", "%(n)s authenticator apps", apps)
    of_phones = Text.for_count("%(n)s phone number", "%(n)s phone numbers", phones)
    if apps and phones:
        amount = Text("%(one)s and %(other)s", one=of_apps, other=of_phones)
    else:
        amount = of_apps if apps else of_phones
    text = Text(
        "the database has %(amount)s, for which nobody is asked: add SecondFactors() to the "
        "features",
        amount=amount,
    )
    return Finding("warn", "second_factors", text)

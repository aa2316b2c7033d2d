"""How second factors are added, renamed, and removed with what hangs on them, under the lock.

Whoever was trusted before a removal is not trusted after it (security rule 45), and recovery codes
do not outlive what they stand in for.
"""

from __future__ import annotations

from typing import Literal

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.factors.recovery_codes import forget_recovery_codes
from pwless_middleware.database.factors.trusted_browsers import end_trust, forget_trusted_browsers
from pwless_middleware.database.people.people import IS_DISABLED
from pwless_middleware.database.statement import Statement, Steps

FactorAdded = Literal["added", "full", "known", "not_first", "alone", "disabled"]
FactorRemoved = Literal["removed", "absent", "last", "alone"]


def add_factor(
    factor: Factor, most: int, may_be_alone: bool, only_first: bool, audit: Event | None
) -> Steps[FactorAdded]:
    """Keep a factor (`FactorRepository.add`)."""
    user_id = factor.user_id
    rows = yield _OF_USER(user_id)
    if factor.phone and any(phone == factor.phone for _, _, phone in rows):
        return "known"
    if only_first and rows:
        return "not_first"
    if len(rows) >= most:
        return "full"
    kinds = {factor.kind, *(kind for _, kind, _ in rows)}
    if not may_be_alone and "totp" not in kinds:
        return "alone"
    # Who deletes a person disables them first, and then waits for this lock.
    if (yield IS_DISABLED(user_id)):
        return "disabled"
    added = yield _ADD(
        *(factor.id, user_id, factor.kind, factor.name, factor.secret, factor.phone),
        *(factor.created_at, factor.used_at),
    )
    if not added:
        return "known"
    if audit is not None:
        yield from insert_event(audit)
    return "added"


def rename_factor(user_id: str, id: str, name: str, audit: Event | None) -> Steps[bool]:
    """Give a factor another name (`FactorRepository.rename`)."""
    is_changed = bool((yield _RENAME(user_id, id, name)))
    if is_changed and audit is not None:
        yield from insert_event(audit)
    return is_changed


def remove_factor(
    user_id: str, id: str, keeps_last: bool, has_passkey: bool, audit: Event | None
) -> Steps[FactorRemoved]:
    """Remove a factor of a user (`FactorRepository.remove`)."""
    kinds: dict[str, str] = {other: kind for other, kind, _ in (yield _OF_USER(user_id))}
    kind = kinds.pop(id, None)
    if kind is None:
        return "absent"
    if keeps_last and not kinds and not has_passkey:
        return "last"
    if kind == "totp" and {*kinds.values()} == {"sms"} and not has_passkey:
        return "alone"
    yield _REMOVE(user_id, id)
    yield from end_trust(user_id)
    if not kinds and not has_passkey:
        yield from forget_recovery_codes(user_id)
    if audit is not None:
        yield from insert_event(audit)
    return "removed"


def remove_all_factors(user_id: str, audit: Event | None) -> Steps[int]:
    """Remove all of a user (`FactorRepository.remove_all`)."""
    removed = len((yield _REMOVE_ALL(user_id)))
    had_codes = yield from forget_recovery_codes(user_id)
    had_browsers = yield from end_trust(user_id)
    if audit is not None and (removed or had_codes or had_browsers):
        yield from insert_event(audit)
    return removed


def remove_factors_since(user_id: str, at: int, audit: Event | None) -> Steps[int]:
    """Remove what was made at `at` or later (`FactorRepository.remove_since`)."""
    removed = len((yield _REMOVE_SINCE(user_id, at)))
    had_codes = yield from forget_recovery_codes(user_id, since=at)
    if removed:
        had_browsers = yield from end_trust(user_id)
    else:
        had_browsers = yield from forget_trusted_browsers(user_id, since=at)
    if audit is not None and (removed or had_codes or had_browsers):
        yield from insert_event(audit)
    return removed


def end_all_trust(user_id: str, has_passkey: bool) -> Steps[None]:
    """Trust no browser of a user any more (`FactorRepository.raise_generation`)."""
    yield from end_trust(user_id)
    if not has_passkey and not (yield _OF_USER(user_id)):
        yield from forget_recovery_codes(user_id)


def erase_factors(user_id: str) -> Steps[None]:
    """Forget all factors of a user, and the generation (`FactorRepository.erase`)."""
    yield _REMOVE_ALL(user_id)
    yield _FORGET_GENERATION(user_id)


_ADD = Statement(
    """
    INSERT INTO pwless_factors (id, user_id, kind, name, secret, phone, created_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id
    """
)
_OF_USER = Statement("SELECT id, kind, phone FROM pwless_factors WHERE user_id = $1")
_RENAME = Statement(
    "UPDATE pwless_factors SET name = $3 WHERE user_id = $1 AND id = $2 RETURNING id"
)
_REMOVE = Statement("DELETE FROM pwless_factors WHERE user_id = $1 AND id = $2")
_REMOVE_ALL = Statement("DELETE FROM pwless_factors WHERE user_id = $1 RETURNING id")
_REMOVE_SINCE = Statement(
    "DELETE FROM pwless_factors WHERE user_id = $1 AND created_at >= $2 RETURNING id"
)
_FORGET_GENERATION = Statement("DELETE FROM pwless_factor_generations WHERE user_id = $1")

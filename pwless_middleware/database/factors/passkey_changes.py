"""How passkeys are added, and removed with what hangs on them, under their locks."""

from __future__ import annotations

from typing import Literal

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.database.events.events import insert_event
from pwless_middleware.database.factors.factor_changes import end_all_trust
from pwless_middleware.database.people.people import IS_DISABLED
from pwless_middleware.database.statement import Query, Statement, Steps

PasskeyAdded = Literal["added", "known", "full", "not_first", "other_handle", "disabled"]
PasskeyRemoved = Literal["removed", "absent", "last"]


def add_passkey(
    passkey: Passkey, most: int, only_first: bool, audit: Event | None
) -> Steps[PasskeyAdded]:
    """Keep a passkey (`PasskeyRepository.add`)."""
    user_id, handle = passkey.user_id, passkey.user_handle
    if (yield _IS_KNOWN(passkey.id)):
        return "known"
    rows = yield _RP_IDS(user_id)
    if only_first and (passkey.rp_id,) in rows:
        return "not_first"
    if rows.count((passkey.rp_id,)) >= most:
        return "full"
    handles = yield _FIND_HANDLES(user_id, handle)
    if any((id, bytes(other)) != (user_id, handle) for id, other in handles):
        return "other_handle"
    # Who deletes a person disables them first, and then waits for this lock.
    if (yield IS_DISABLED(user_id)):
        return "disabled"
    added = yield _ADD(
        *(passkey.id, user_id, passkey.public_key, passkey.sign_count, passkey.aaguid),
        *(" ".join(passkey.transports), int(passkey.is_synced), int(passkey.is_backed_up)),
        *(passkey.rp_id, passkey.name, passkey.created_at, passkey.used_at),
    )
    if not added:
        return "known"  # somebody else has added it just now
    if not handles:
        yield _ADD_HANDLE(user_id, handle)
    if audit is not None:
        yield from insert_event(audit)
    return "added"


def remove_passkey(
    user_id: str, id: bytes, keeps_last: bool, audit: Event | None
) -> Steps[PasskeyRemoved]:
    """Remove a passkey of a user (`PasskeyRepository.remove`)."""
    rows = yield _RP_ID(user_id, id)
    if not rows:
        return "absent"
    if keeps_last and (yield _RP_IDS(user_id)).count(rows[0]) == 1:
        return "last"
    yield from _remove(user_id, _REMOVE(user_id, id), audit)
    return "removed"


def remove_all_passkeys(user_id: str, audit: Event | None) -> Steps[int]:
    """Remove all of a user (`PasskeyRepository.remove_all`)."""
    return (yield from _remove(user_id, _REMOVE_ALL(user_id), audit))


def remove_passkeys_since(user_id: str, at: int, audit: Event | None) -> Steps[int]:
    """Remove those made at `at` or later (`PasskeyRepository.remove_since`)."""
    return (yield from _remove(user_id, _REMOVE_SINCE(user_id, at), audit))


def _remove(user_id: str, query: Query, audit: Event | None) -> Steps[int]:
    removed = yield query
    if removed:
        left = yield _RP_IDS(user_id)
        yield from end_all_trust(user_id, has_passkey=bool(left))
        if audit is not None:
            yield from insert_event(audit)
    return len(removed)


_IS_KNOWN = Statement("SELECT 1 FROM pwless_passkeys WHERE id = $1")
_FIND_HANDLES = Statement(
    "SELECT user_id, handle FROM pwless_user_handles WHERE user_id = $1 OR handle = $2"
)
_ADD = Statement(
    """
    INSERT INTO pwless_passkeys (id, user_id, public_key, sign_count, aaguid, transports,
    is_synced, is_backed_up, rp_id, name, created_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING RETURNING id
    """
)
_ADD_HANDLE = Statement("INSERT INTO pwless_user_handles (user_id, handle) VALUES ($1, $2)")
_RP_IDS = Statement("SELECT rp_id FROM pwless_passkeys WHERE user_id = $1")
_RP_ID = Statement("SELECT rp_id FROM pwless_passkeys WHERE user_id = $1 AND id = $2")
_REMOVE = Statement("DELETE FROM pwless_passkeys WHERE user_id = $1 AND id = $2 RETURNING id")
_REMOVE_ALL = Statement("DELETE FROM pwless_passkeys WHERE user_id = $1 RETURNING id")
_REMOVE_SINCE = Statement(
    "DELETE FROM pwless_passkeys WHERE user_id = $1 AND created_at >= $2 RETURNING id"
)

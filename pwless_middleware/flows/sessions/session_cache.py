"""The session records that this process has read, while the feed vouches for them."""

from __future__ import annotations

from dataclasses import dataclass, field

from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.organizations.organization import Membership
from pwless_middleware.core.people.user import User
from pwless_middleware.core.storage.store_keys import user_signal_of
from pwless_middleware.stores.base import Feed

_MOST = 10_000
"""Records kept, at most; the oldest leave first. A record is about 1 KiB here."""


@dataclass(slots=True)
class Held:
    """A session record kept in process, with what was computed from it.

    Attributes:
        session: the record.
        value: the record as it stands in the store, for `swap`.
        key: its place in the store.
        key_id: fingerprint of the secret key that sealed its cookie or token, and binds it.
        valid_until: unix seconds until which `user`, `is_refused` and `made` count; 0 until the
            session was validated (`flows.sessions.session_validation`).
        user: whose it is, where that may be kept.
        is_refused: whether the user is gone, or a rule refuses the session.
        membership: what the session has of its organization; `None` outside of one.
        made: what the floor above has computed from it; opaque here.
    """

    session: Session
    value: bytes = field(repr=False)
    key: str
    key_id: str
    valid_until: int = 0
    user: User | None = field(default=None, repr=False)
    is_refused: bool = False
    membership: Membership | None = None
    made: object | None = None


class SessionCache:
    """Keep records by the cookie value or token that led to them.

    Only `Sessions` may say whether one still holds: a record here is worth nothing while the feed
    is not live.

    Args:
        feed: tells which records were dropped, anywhere.

    Attributes:
        by_signed: the records; to be read only.
    """

    def __init__(self, feed: Feed) -> None:
        self.by_signed: dict[str, Held] = {}
        self._signed_by_key: dict[str, list[str]] = {}
        self._keys_by_signal: dict[str, set[str]] = {}
        feed.subscribe(self.forget)

    def keep(self, signed: str, held: Held) -> None:
        """Keep a record under the text that led to it; when full, the oldest leaves."""
        if len(self.by_signed) >= _MOST and signed not in self.by_signed:
            oldest = next(iter(self.by_signed))
            self.forget(self.by_signed[oldest].key)
        self.by_signed[signed] = held
        spellings = self._signed_by_key.setdefault(held.key, [])
        if signed not in spellings:
            spellings.append(signed)
            self._keys_by_signal.setdefault(user_signal_of(held.key), set()).add(held.key)

    def forget(self, key: str | None) -> None:
        """Forget the record of a key, or those of a user by their signal; `None` forgets all."""
        if key is None:
            self.by_signed.clear()
            self._signed_by_key.clear()
            self._keys_by_signal.clear()
        elif key in self._signed_by_key:
            for signed in self._signed_by_key.pop(key):
                self.by_signed.pop(signed, None)
            signal = user_signal_of(key)
            keys = self._keys_by_signal[signal]
            keys.discard(key)
            if not keys:
                del self._keys_by_signal[signal]
        else:
            for one in tuple(self._keys_by_signal.get(key, ())):
                self.forget(one)

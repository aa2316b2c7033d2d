"""Withdrawals: what a removed factor had proven counts no more (security rule 46).

    await withdrawals.withdraw(user_id, "passkey")

Theory. A session carries its authentications in its record, and a fresh proof carries them on into
the next one. So whoever removes a factor has them taken out of every session of its user, after the
factor itself is gone. Three races are closed here:

- a session that is used meanwhile: records are rewritten by `swap`, and looked at again until none
  has the method;
- a pending login that becomes a session meanwhile: pending logins are dropped first, so that what
  comes of one that was faster stands in the list of sessions;
- a session that is renewed meanwhile, by what was read of it before: each rewriting leaves a mark
  behind, which the door looks for once the renewed session is written (`check`). Whoever does not
  see the mark has written before it, and is seen by the next look at the list.

A login that has verified the factor before it was removed may write its session after all of this.
So a proof says how to ask whether its factor is still there (`Proof.holds`), and the door asks once
it has written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pwless_middleware.core.keys.keyring import Keyring, new_operation
from pwless_middleware.core.logins.authentication import WITHDRAWN, Authentication
from pwless_middleware.core.logins.login import PENDING_LIFETIME, Login
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.storage.format_v1 import pack_session, unpack_session
from pwless_middleware.core.storage.store_keys import (
    session_id_of,
    session_list,
    user_signal,
    user_slot,
    withdrawal_mark,
)
from pwless_middleware.errors import StoreError, Unauthenticated
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.logins.pending_logins import PendingLogins
from pwless_middleware.flows.sessions.sessions import Sessions
from pwless_middleware.stores.base import Drop, Put, Store, Writes

MARK_SECONDS = PENDING_LIFETIME
"""Seconds that a mark stands: longer than any request takes."""


class Withdrawals:
    """Withdraw what a method had proven.

    Args:
        store: where sessions are.
        keyring: binds records of sessions.
        sessions: hold what was read of them.
        pending_logins: are dropped where they hold such a proof.
        clock: returns unix seconds.
        events: records which sessions end.
    """

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        sessions: Sessions,
        pending_logins: PendingLogins,
        clock: Callable[[], int],
        events: Events,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._sessions = sessions
        self._pending_logins = pending_logins
        self._clock = clock
        self._events = events

    async def withdraw(
        self, user_id: str, method: str, *, but: Session | None = None, is_last: bool = True
    ) -> None:
        """Take a method's proofs out of all that a user has; see `SessionsView.withdraw`."""
        await self._pending_logins.drop_proven_by(user_id, method)
        try:
            while await self._take_out(user_id, method, but, is_last=is_last):
                pass
        finally:  # also of those that were rewritten before something went wrong
            self._sessions.forget_user(user_id)
            signal = Drop(user_signal(self._slot_of(user_id)), publish=True)
            await self._write(Writes(drops=(signal,)))

    async def check(self, renews: Session, login: Login, written: Drop) -> None:
        """Undo a renewal that carries on what was withdrawn since the session was read.

        To be called once it is written.

        Args:
            renews: the session that was renewed.
            login: what was carried on, and last the fresh proof.
            written: removes what was written, the new session or a pending login.

        Raises:
            Unauthenticated: it was undone.
        """
        slot, now = self._slot_of(renews.user_id), self._clock()
        for carried in login.authentications[:-1]:
            mark = withdrawal_mark(slot, renews.id, carried.method)
            if await self._store.read(mark, now=now) == _mark_value(carried):
                await self._write(Writes(drops=(written,)))
                raise Unauthenticated

    async def _take_out(
        self, user_id: str, method: str, but: Session | None, *, is_last: bool
    ) -> bool:
        """Take the method out of the sessions that are listed; whether there were any."""
        slot, now = self._slot_of(user_id), self._clock()
        listed = session_list(slot)
        marks, puts, drops = [], [], []
        for key, value in await self._store.read_list(listed, now=now):
            opened = self._keyring.unbind("session", key, value)
            try:
                found = unpack_session("", opened.payload) if opened is not None else None
            except StoreError:
                found = None
            if opened is None or found is None:
                # Of a key that this process lacks, or of a newer version: it may hold the proof.
                drops.append(Drop(key, listed=listed, publish=True))
                continue
            session = replace(found, id=session_id_of(key))
            is_own = but is not None and session.first_id == but.first_id
            given = [one for one in session.authentications if one.method == method]
            # Which records stand on the list is bound by nothing: another's are passed over.
            if not given or session.user_id != user_id or (is_own and not is_last):
                continue
            rest = tuple(one for one in session.authentications if one.method != method)
            if not rest and is_own:
                rest = (Authentication(WITHDRAWN, given[0].at),)
            if rest:
                mark = withdrawal_mark(slot, session.id, method)
                marks.append(Put(mark, _mark_value(given[0]), until=now + MARK_SECONDS))
                rewritten = pack_session(replace(session, authentications=rest))
                record = self._keyring.bind("session", key, rewritten, key_id=opened.key_id)
                puts.append((Put(key, record, until=session.ends_at, listed=listed), value))
            else:
                drops.append(Drop(key, listed=listed, publish=True))
        if not puts and not drops:
            return False
        await self._write(Writes(puts=tuple(marks), drops=tuple(drops)))
        for put, read in puts:
            await self._store.swap(put, replaces=read, now=now)
        for drop in drops:
            id = session_id_of(drop.key)
            self._events.record("session.ended", user_id=user_id, session=id, reason="withdrawn")
        return True

    async def _write(self, writes: Writes) -> None:
        await self._store.write(writes, now=self._clock(), op=new_operation())

    def _slot_of(self, user_id: str) -> bytes:
        return user_slot(self._keyring.realm, user_id)


def _mark_value(withdrawn: Authentication) -> bytes:
    return str(withdrawn.at).encode()

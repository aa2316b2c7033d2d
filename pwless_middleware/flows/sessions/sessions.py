"""Sessions: read on every request, ended at once. The one door makes them (`flows.logins.door`).

Theory. The secret (48 bytes) is in the cookie or token; the store keeps a record under its digest,
bound to that place by the key that sealed the cookie (`flows.capabilities.bound_records`).
A process may keep records that it has read while the store's feed vouches that it hears of every
drop; without that it asks the store each time. Four races are closed here:

- a read in flight while the session is dropped: the record is kept only if the feed's epoch is the
  same before and after the read;
- a session that looks idle here but was used elsewhere: it is read again before it is refused;
- a session that is renewed, under a new id, between the reading of a user's list and the drops: the
  list is read again until nothing else stands on it;
- being seen and being dropped at once: "seen" is written by `swap`, which never brings back a
  record, and at most once in a twenty-fourth of the idle time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from pwless_middleware.core.keys.keyring import Keyring, Opened, new_operation
from pwless_middleware.core.logins.device_cookie import DEVICE_SECONDS, mark_value
from pwless_middleware.core.logins.session import SECRET_BYTES, Session, SessionPolicy
from pwless_middleware.core.storage.format_v1 import pack_session, unpack_session
from pwless_middleware.core.storage.store_keys import (
    TAG_BYTES,
    device_mark,
    pending_list,
    session_id_of,
    session_key,
    session_list,
    session_place,
    user_signal,
    user_slot,
)
from pwless_middleware.flows.capabilities.bound_records import open_record
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.sessions.session_cache import Held, SessionCache
from pwless_middleware.stores.base import Drop, Put, Store, Writes

TOKEN_PREFIX = "pws_"  # noqa: S105  # how a token begins, not one


class Sessions:
    """Keep sessions.

    Args:
        store: where records live.
        keyring: opens cookies and tokens, and binds records.
        clock: returns unix seconds.
        events: records which sessions end.
        policy: returns how long sessions live at most, now; who changes it calls `forget_all`.
        require: returns once the policy is known, and raises `Unavailable` where it cannot be.
    """

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        clock: Callable[[], int],
        events: Events,
        policy: Callable[[], SessionPolicy],
        require: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._feed = store.feed
        self._keyring = keyring
        self._clock = clock
        self._events = events
        self._policy = policy
        self._require = require
        self._cache = SessionCache(store.feed)
        self._held = self._cache.by_signed  # asked on every request
        self._rewritten = 0  # how often records were rewritten by this process

    # --- what a cookie or token says -------------------------------------------------------------

    def find_held(self, signed: str) -> Held | None:
        """Return the session of a cookie value or token if it is surely alive, without I/O.

        `None` says nothing: ask `find`.
        """
        held = self._held.get(signed)
        if held is None or not self._feed.is_live():
            return None
        now = self._clock()
        session = held.session
        if now >= session.expires_at or now - session.seen_at >= session.idle // 24:
            return None
        if now >= held.valid_until:
            held.made = None
        return held

    async def find(self, signed: str) -> Held | None:
        """Return the live session of a cookie value or token (`pws_…`), or `None`.

        Raises:
            StoreError: the store could not be asked; that is neither "in" nor "out".
        """
        opened = self._open(signed)
        if opened is None:
            return None
        now = self._clock()
        epoch, rewritten = self._feed.epoch, self._rewritten
        held = await self._read(*session_place(opened.payload), opened.key_id, now)
        if held is not None and held.session.is_due(now):
            held = await self._saw(held, now)
        if (
            held is not None
            and self._feed.is_live()
            and (self._feed.epoch, self._rewritten) == (epoch, rewritten)
        ):
            self._cache.keep(signed, held)
        return held

    def look_held(self, signed: str) -> Held | None:
        """Return the session of a cookie value or token if it surely lives, without I/O or use.

        `None` says nothing: ask `look`.
        """
        held = self._held.get(signed)
        if held is None or not self._feed.is_live():
            return None
        return held if self._is_alive(held.session, self._clock()) else None

    async def look(self, signed: str) -> Held | None:
        """Return the live session of a cookie value or token, without using it.

        For what stays open: being looked at keeps no session from falling asleep.

        Raises:
            StoreError: the store could not be asked.
        """
        held = self.look_held(signed)
        if held is not None:
            return held
        opened = self._open(signed)
        if opened is None:
            return None
        return await self._read(*session_place(opened.payload), opened.key_id, self._clock())

    def key_of(self, signed: str) -> str | None:
        """Return where the session of a cookie value or token stands; `None` if it is none."""
        opened = self._open(signed)
        return session_place(opened.payload)[0] if opened is not None else None

    def forget_all(self) -> None:
        """Ask for every session again: the rules that they were validated by have changed."""
        self._cache.forget(None)

    def forget_user(self, user_id: str) -> None:
        """Ask for a user's sessions again: their records were rewritten.

        A read that is in flight is not kept. Other processes hear of it by the user's signal.
        """
        self._rewritten += 1
        self._cache.forget(user_signal(self._slot_of(user_id)))

    def _is_alive(self, session: Session, now: int) -> bool:
        return session.is_alive(now) and session.created_at >= self._policy().not_before

    def _open(self, signed: str) -> Opened | None:
        if signed.startswith(TOKEN_PREFIX):
            token = signed.removeprefix(TOKEN_PREFIX)
            return self._keyring.open("token", token, size=SECRET_BYTES)
        return self._keyring.open("session", signed, size=SECRET_BYTES)

    async def _read(self, key: str, id: str, key_id: str, now: int) -> Held | None:
        await self._require()
        value = await self._store.read(key, now=now)
        record = open_record(self._keyring, "session", key, value, key_id=key_id)
        if value is None or record is None:
            return None
        session = unpack_session(id, record)
        return Held(session, value, key, key_id) if self._is_alive(session, now) else None

    async def _saw(self, held: Held, now: int) -> Held | None:
        session = held.session.with_use_at(now)
        put = self._put(held.key, session, held.key_id)
        if await self._store.swap(put, replaces=held.value, now=now):
            return Held(session, put.value, held.key, held.key_id)
        # Another process has written it, or it was dropped: what stands there now decides.
        return await self._read(held.key, session.id, held.key_id, now)

    def _slot_of(self, user_id: str) -> bytes:
        return user_slot(self._keyring.realm, user_id)

    def _put(self, key: str, session: Session, key_id: str) -> Put:
        listed = session_list(self._slot_of(session.user_id))
        record = self._keyring.bind("session", key, pack_session(session), key_id=key_id)
        return Put(key, record, until=session.ends_at, listed=listed)

    def drops(self, signed: str) -> tuple[Drop, ...]:
        """Return the write that ends the session of a cookie value or token, without reading it."""
        opened = self._open(signed)
        if opened is None:
            return ()
        slot = opened.payload[-TAG_BYTES:]
        return (Drop(session_place(opened.payload)[0], listed=session_list(slot), publish=True),)

    def drop(self, session: Session) -> Drop:
        """Return the write that ends a session."""
        slot = self._slot_of(session.user_id)
        return Drop(session_key(slot, session.id), listed=session_list(slot), publish=True)

    # --- end -----------------------------------------------------------------------------------

    async def list(self, user_id: str) -> Sequence[Session]:
        """Return a user's live sessions, the most recently used first.

        Raises:
            StoreError: the store could not be asked.
        """
        await self._require()
        now = self._clock()
        rows = await self._store.read_list(session_list(self._slot_of(user_id)), now=now)
        alive = []
        for key, value in rows:
            # Of a key that has left the list, or not of ours: no cookie leads there. Which records
            # stand on the list is bound by nothing, so that another's are passed over.
            if opened := self._keyring.unbind("session", key, value):
                session = unpack_session(session_id_of(key), opened.payload)
                if session.user_id == user_id and self._is_alive(session, now):
                    alive.append(session)
        return sorted(alive, key=lambda s: (s.seen_at, s.created_at, s.id), reverse=True)

    async def end(self, session: Session) -> None:
        """End one session, here at once and elsewhere within 100 ms; may already be over.

        Raises:
            StoreError: the store could not be asked; the session may still live.
        """
        await self._end([self.drop(session)], session.user_id, "logout")

    async def revoke(self, user_id: str, session_id: str) -> bool:
        """End one session of a user by its public id; false if the user has no such session.

        Raises:
            StoreError: the store could not be asked; the session may still live.
        """
        alive = await self.list(user_id)
        first = next((s.first_id for s in alive if s.id == session_id), None)
        # A fresh proof may be renewing it just now: then what comes of it is ended too.
        while same := [s for s in alive if s.first_id == first]:
            await self._end([self.drop(s) for s in same], user_id, "revoked")
            alive = await self.list(user_id)
        return first is not None

    async def revoke_others(self, user_id: str, keep: str) -> int:
        """End all sessions of a user but the one with the id `keep`; say how many.

        Raises:
            StoreError: the store could not be asked; sessions may still live.
        """
        return await self._end_others(user_id, keep, "revoked")

    async def revoke_all(self, user_id: str) -> int:
        """End every session of a user, and every login that waits for a step.

        Device cookies and tokens given before lose their own budget too: whoever holds one is a
        stranger until the next login (with the memory store, as long as its process lives).

        For a changed address, a lost phone, a user who is deleted.

        Returns:
            How many sessions there were.

        Raises:
            StoreError: the store could not be asked; sessions may still live.
        """
        await self.end_pending(user_id)
        ended = await self._end_others(user_id, "", "revoked_all")
        # Last: a full store refuses it, and has ended the sessions by then.
        now = self._clock()
        key, until = device_mark(self._slot_of(user_id)), now + DEVICE_SECONDS
        mark = Put(key, mark_value(now), until=until)
        await self._store.write(Writes(puts=(mark,)), now=now, op=new_operation())
        return ended

    async def end_pending(self, user_id: str) -> None:
        """End every login of a user that waits for a step.

        Raises:
            StoreError: the store could not be asked; such logins may still wait.
        """
        now, listed = self._clock(), pending_list(self._slot_of(user_id))
        rows = await self._store.read_list(listed, now=now)
        if rows:
            drops = tuple(Drop(key, listed=listed) for key, _ in rows)
            await self._store.write(Writes(drops=drops), now=now, op=new_operation())

    async def find_by_id(self, user_id: str, session_id: str) -> Session | None:
        """Return a live session of a user by its public id, as it stands in the store now.

        Raises:
            StoreError: the store could not be asked.
        """
        await self._require()
        key, now = session_key(self._slot_of(user_id), session_id), self._clock()
        value = await self._store.read(key, now=now)
        opened = self._keyring.unbind("session", key, value) if value is not None else None
        if opened is None:
            return None
        session = unpack_session(session_id, opened.payload)
        is_theirs = session.user_id == user_id and self._is_alive(session, now)
        return session if is_theirs else None

    async def _end_others(self, user_id: str, keep: str, reason: str) -> int:
        ended: set[str] = set()
        while True:
            drops = [d for d in await self._drops_of(user_id) if session_id_of(d.key) != keep]
            drops = [drop for drop in drops if drop.key not in ended]
            if not drops:
                return len(ended)
            await self._end(drops, user_id, reason)
            ended.update(drop.key for drop in drops)

    async def _drops_of(self, user_id: str) -> Sequence[Drop]:
        # Of everything that is listed, whatever stands there: a record that cannot be believed now
        # must not be out of reach of "revoke all".
        listed = session_list(self._slot_of(user_id))
        rows = await self._store.read_list(listed, now=self._clock())
        return [Drop(key, listed=listed, publish=True) for key, _ in rows]

    async def _end(self, drops: Sequence[Drop], user_id: str, reason: str) -> None:
        if not drops:
            return
        # First here: whatever the store answers, this process does not let them in again unasked.
        for drop in drops:
            self._cache.forget(drop.key)
        writes = Writes(drops=tuple(drops))
        await self._store.write(writes, now=self._clock(), op=new_operation())
        for drop in drops:
            id = session_id_of(drop.key)
            self._events.record("session.ended", user_id=user_id, session=id, reason=reason)

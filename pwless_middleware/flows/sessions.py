"""Sessions: minted by the one door, read on every request, ended at once.

Theory. The secret (48 bytes) is in the cookie or token; the store keeps a record under its digest,
bound to that place by the key that sealed the cookie (`flows.bound_records`).
A process may keep records that it has read while the store's feed vouches that it hears of every
drop; without that it asks the store each time. Three races are closed here:

- a read in flight while the session is dropped: the record is kept only if the feed's epoch is the
  same before and after the read;
- a session that looks idle here but was used elsewhere: it is read again before it is refused;
- being seen and being dropped at once: "seen" is written by `swap`, which never brings back a
  record, and at most once in a twenty-fourth of the idle time.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pwless_middleware.core.authentication import Login
from pwless_middleware.core.device_cookie import DEVICE_SECONDS, mark_key, mark_value
from pwless_middleware.core.format_v1 import pack_session, unpack_session
from pwless_middleware.core.keyring import Keyring, Opened, b64, digest, new_operation
from pwless_middleware.core.session import (
    SECRET_BYTES,
    Session,
    SessionPolicy,
    SessionSecret,
)
from pwless_middleware.flows.bound_records import open_record
from pwless_middleware.stores.base import Drop, Put, Store, Writes

TOKEN_PREFIX = "pws_"  # noqa: S105  # how a token begins, not one
_KEPT = 10_000
"""Records held in process, at most; the oldest leave first. A record is about 1 KiB here."""
_SLOT_BYTES = 16


@dataclass(slots=True)
class Held:
    """A session record kept in process, with what was computed from it.

    Attributes:
        session: the record.
        value: the record as it stands in the store, for `swap`.
        key: its place in the store.
        key_id: fingerprint of the secret key that sealed its cookie or token, and binds it.
        made: what the floor above has computed from it; opaque here.
    """

    session: Session
    value: bytes = field(repr=False)
    key: str
    key_id: str
    made: object | None = None


class Sessions:
    """Keep sessions.

    Args:
        store: where records live.
        keyring: signs cookies and tokens.
        policy: how long sessions live.
        clock: gives unix seconds.
    """

    def __init__(
        self, store: Store, keyring: Keyring, policy: SessionPolicy, clock: Callable[[], int]
    ) -> None:
        self._store = store
        self._feed = store.feed
        self._keyring = keyring
        self._policy = policy
        self._clock = clock
        self._held: dict[str, Held] = {}
        self._signed_by_key: dict[str, list[str]] = {}
        store.feed.subscribe(self._forget)

    # --- what a cookie or token says -------------------------------------------------------------

    def cookie_value(self, secret: SessionSecret) -> str:
        """Return a session's cookie value."""
        return self._keyring.seal("session", secret)

    def token(self, secret: SessionSecret) -> str:
        """Return a session's token: `pws_…`, for clients without cookies. No cookie is one."""
        return TOKEN_PREFIX + self._keyring.seal("token", secret)

    def held(self, signed: str) -> Held | None:
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
        epoch = self._feed.epoch
        held = await self._read(*self._place(opened.payload), opened.key_id, now)
        if held is not None and held.session.is_due(now):
            held = await self._saw(held, now)
        if held is not None and self._feed.is_live() and self._feed.epoch == epoch:
            self._keep(signed, held)
        return held

    def surely_lives(self, signed: str) -> bool:
        """Whether the session of a cookie value or token is surely alive, without I/O or use.

        False says nothing: ask `lives`.
        """
        held = self._held.get(signed)
        return held is not None and self._feed.is_live() and held.session.is_alive(self._clock())

    async def lives(self, signed: str) -> bool:
        """Whether the session of a cookie value or token is alive, without using it.

        For what stays open: being looked at keeps no session from falling asleep.

        Raises:
            StoreError: the store could not be asked.
        """
        if self.surely_lives(signed):
            return True
        opened = self._open(signed)
        if opened is None:
            return False
        place = self._place(opened.payload)
        return await self._read(*place, opened.key_id, self._clock()) is not None

    def _open(self, signed: str) -> Opened | None:
        if signed.startswith(TOKEN_PREFIX):
            token = signed.removeprefix(TOKEN_PREFIX)
            return self._keyring.open("token", token, size=SECRET_BYTES)
        return self._keyring.open("session", signed, size=SECRET_BYTES)

    async def _read(self, key: str, id: str, key_id: str, now: int) -> Held | None:
        value = await self._store.read(key, now=now)
        record = open_record(self._keyring, "session", key, value, key_id=key_id)
        if value is None or record is None:
            return None
        session = unpack_session(id, record)
        return Held(session, value, key, key_id) if session.is_alive(now) else None

    async def _saw(self, held: Held, now: int) -> Held | None:
        session = held.session.seen(now)
        put = self._put(held.key, session, held.key_id)
        if await self._store.swap(put, replaces=held.value, now=now):
            return Held(session, put.value, held.key, held.key_id)
        # Another process has written it, or it was dropped: what stands there now decides.
        return await self._read(held.key, session.id, held.key_id, now)

    def _keep(self, signed: str, held: Held) -> None:
        if len(self._held) >= _KEPT and signed not in self._held:
            oldest = next(iter(self._held))
            self._forget(self._held[oldest].key)
        self._held[signed] = held
        spellings = self._signed_by_key.setdefault(held.key, [])
        if signed not in spellings:
            spellings.append(signed)

    def _forget(self, key: str | None) -> None:
        if key is None:
            self._held.clear()
            self._signed_by_key.clear()
        else:
            for signed in self._signed_by_key.pop(key, ()):
                self._held.pop(signed, None)

    # --- places --------------------------------------------------------------------------------

    def slot_of(self, user_id: str) -> bytes:
        """Return the digest under which everything of a user is kept."""
        return digest("user-slot", self._keyring.realm, user_id)

    def _place(self, secret: bytes) -> tuple[str, str]:
        id = b64(digest("session", b64(secret)))
        return _key(secret[-_SLOT_BYTES:], id), id

    def _put(self, key: str, session: Session, key_id: str) -> Put:
        listed = _list_key(self.slot_of(session.user_id))
        record = self._keyring.bind("session", key, pack_session(session), key_id=key_id)
        return Put(key, record, until=session.ends_at, listed=listed)

    # --- birth: called by `Logins` and nobody else (security rule 1) -----------------------------

    def mint(self, login: Login, now: int) -> tuple[SessionSecret, Session, Put]:
        """Make a session from a login that has passed every check; it is not written yet.

        The id is new each time, whatever the browser brought along (OWASP Session Management,
        "Renew the Session ID After Any Privilege Level Change").
        """
        slot = self.slot_of(login.user_id)
        secret = SessionSecret(secrets.token_bytes(32) + slot)
        while self.cookie_value(secret).startswith(TOKEN_PREFIX):  # no cookie looks like a token
            secret = SessionSecret(secrets.token_bytes(32) + slot)
        key, id = self._place(secret)
        session = Session(
            id=id,
            user_id=login.user_id,
            email=login.email,
            created_at=now,
            authenticated_at=max(a.at for a in login.authentications),
            seen_at=now,
            idle=self._policy.idle,
            expires_at=now + self._policy.absolute,
            methods=login.methods,
            device=login.device,
        )
        return secret, session, self._put(key, session, self._keyring.current)

    def drops(self, signed: str) -> tuple[Drop, ...]:
        """Return the write that ends the session of a cookie value or token, without reading it."""
        opened = self._open(signed)
        if opened is None:
            return ()
        slot = opened.payload[-_SLOT_BYTES:]
        return (Drop(self._place(opened.payload)[0], listed=_list_key(slot), publish=True),)

    def drop(self, session: Session) -> Drop:
        """Return the write that ends a session."""
        slot = self.slot_of(session.user_id)
        return Drop(_key(slot, session.id), listed=_list_key(slot), publish=True)

    def pending_list(self, user_id: str) -> str:
        """Name the list of a user's pending logins, so that `revoke_all` finds them."""
        return "{" + b64(self.slot_of(user_id)) + "}q"

    # --- end -----------------------------------------------------------------------------------

    async def list(self, user_id: str) -> Sequence[Session]:
        """Return a user's live sessions, the most recently used first.

        Raises:
            StoreError: the store could not be asked.
        """
        now = self._clock()
        rows = await self._store.read_list(_list_key(self.slot_of(user_id)), now=now)
        alive = []
        for key, value in rows:
            # Of a key that has left the list, or not of ours: no cookie leads there. Which records
            # stand on the list is bound by nothing, so that another's are passed over.
            if opened := self._keyring.unbind("session", key, value):
                session = unpack_session(_id_of(key), opened.payload)
                if session.user_id == user_id and session.is_alive(now):
                    alive.append(session)
        return sorted(alive, key=lambda s: (s.seen_at, s.created_at, s.id), reverse=True)

    async def end(self, session: Session) -> None:
        """End one session, here at once and elsewhere within 100 ms; may already be over.

        Raises:
            StoreError: the store could not be asked; the session may still live.
        """
        await self._end([self.drop(session)])

    async def revoke(self, user_id: str, session_id: str) -> bool:
        """End one session of a user by its public id; false if the user has no such session.

        Raises:
            StoreError: the store could not be asked; the session may still live.
        """
        drops = [d for d in await self._drops_of(user_id) if _id_of(d.key) == session_id]
        await self._end(drops)
        return bool(drops)

    async def revoke_others(self, user_id: str, keep: str) -> int:
        """End all sessions of a user but the one with the id `keep`; say how many.

        Raises:
            StoreError: the store could not be asked; sessions may still live.
        """
        drops = [d for d in await self._drops_of(user_id) if _id_of(d.key) != keep]
        await self._end(drops)
        return len(drops)

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
        now, listed = self._clock(), self.pending_list(user_id)
        rows = await self._store.read_list(listed, now=now)
        if rows:
            drops = tuple(Drop(key, listed=listed) for key, _ in rows)
            await self._store.write(Writes(drops=drops), now=now, op=new_operation())
        ended = await self.revoke_others(user_id, keep="")
        # Last: a full store refuses it, and has ended the sessions by then.
        key, until = mark_key(self.slot_of(user_id)), now + DEVICE_SECONDS
        mark = Put(key, mark_value(now), until=until)
        await self._store.write(Writes(puts=(mark,)), now=now, op=new_operation())
        return ended

    async def _drops_of(self, user_id: str) -> Sequence[Drop]:
        # Of everything that is listed, whatever stands there: a record that cannot be believed now
        # must not be out of reach of "revoke all".
        listed = _list_key(self.slot_of(user_id))
        rows = await self._store.read_list(listed, now=self._clock())
        return [Drop(key, listed=listed, publish=True) for key, _ in rows]

    async def _end(self, drops: Sequence[Drop]) -> None:
        if not drops:
            return
        # First here: whatever the store answers, this process does not let them in again unasked.
        for drop in drops:
            self._forget(drop.key)
        writes = Writes(drops=tuple(drops))
        await self._store.write(writes, now=self._clock(), op=new_operation())


def _key(slot: bytes, id: str) -> str:
    return "{" + b64(slot) + "}s" + id


def _id_of(key: str) -> str:
    return key.rpartition("}s")[2]


def _list_key(slot: bytes) -> str:
    return "{" + b64(slot) + "}l"

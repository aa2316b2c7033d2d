"""Pending logins: logins that wait for a step. None of them is a session anywhere."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from pwless_middleware.core.challenges.budget import Draw, Limit, Refund
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Keyring, Opened, new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import (
    PENDING_LIFETIME,
    RECOVERY_TRIES,
    STEP_TRIES,
    USER_TRIES,
    Login,
    PendingLogin,
    Step,
)
from pwless_middleware.core.storage.format_v1 import pack_pending, unpack_pending
from pwless_middleware.core.storage.store_keys import (
    TAG_BYTES,
    pending_key,
    pending_list,
    pending_tries,
    step_tries,
    user_slot,
)
from pwless_middleware.errors import (
    RequestExpired,
    StepRequired,
    StoreError,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.flows.capabilities.bound_records import open_record
from pwless_middleware.stores.base import Drop, Put, Store, Writes
from pwless_middleware.text import Text

_RANDOM_BYTES = 12
_ID_BYTES = TAG_BYTES + _RANDOM_BYTES


@dataclass(frozen=True, slots=True)
class StepTry:
    """A try at a step that has been counted.

    Attributes:
        pending: the login that waits.
        key: its record, to be taken by the right answer.
        left: how many more tries it has.
        refunds: what the right answer gives back: the user's own count of this try.
    """

    pending: PendingLogin
    key: str
    left: int
    refunds: tuple[Refund, ...]


class PendingLogins:
    """Keep pending logins.

    Args:
        store: where they wait.
        keyring: seals their ids and binds their records. Nobody else may have it: who could write
            a pending login would choose what is proven in it.
        clock: returns unix seconds.
    """

    def __init__(self, store: Store, keyring: Keyring, clock: Callable[[], int]) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock

    def suspend(
        self, login: Login, steps: tuple[Step, ...], renews: str | None
    ) -> tuple[Put, StepRequired]:
        """Return the write that keeps a login waiting, and what its caller is told.

        Args:
            login: what is proven so far.
            steps: what is asked for.
            renews: id of the session that it is a fresh proof for; `None` for a new login.
        """
        slot = user_slot(self._keyring.realm, login.user_id)
        id = slot + secrets.token_bytes(_RANDOM_BYTES)
        until = self._clock() + PENDING_LIFETIME
        pending = PendingLogin(login, steps, until, renews)
        key, key_id = pending_key(id), self._keyring.current
        record = self._keyring.bind("pending", key, pack_pending(pending), key_id=key_id)
        login_id = self._keyring.seal("pending", id, key_id=key_id)
        put = Put(key, record, until=until, listed=pending_list(slot))
        return put, StepRequired(login_id, [s.methods for s in steps], until, steps[0].path)

    async def drop_proven_by(self, user_id: str, method: str) -> None:
        """Drop every login of a user that waits for a step and holds a proof by a method.

        Raises:
            StoreError: the store could not be asked; such logins may still wait.
        """
        listed = pending_list(user_slot(self._keyring.realm, user_id))
        while True:
            now = self._clock()
            rows = await self._store.read_list(listed, now=now)
            held = [key for key, value in rows if self._holds(key, value, method)]
            if not held:
                return
            drops = tuple(Drop(key, listed=listed) for key in held)
            await self._store.write(Writes(drops=drops), now=now, op=new_operation())

    def _holds(self, key: str, value: bytes, method: str) -> bool:
        opened = self._keyring.unbind("pending", key, value)
        try:
            return opened is None or method in unpack_pending(opened.payload).login.methods
        except StoreError:
            return True  # of a newer version: it may, and asks for a login at worst

    async def read(self, login_id: str, caller: Caller) -> PendingLogin:
        """Return a pending login.

        Raises:
            RequestExpired: unknown, over, or another caller's.
        """
        opened = self._open(login_id, caller)
        key = pending_key(opened.payload)
        return self._theirs(key, await self._store.read(key, now=self._clock()), caller, opened)

    async def attempt(
        self, login_id: str, method: str, caller: Caller, *, recovers: bool = False
    ) -> StepTry:
        """Count a try at a pending login's next step, and return the login.

        Args:
            login_id: its handle.
            method: how the step is tried; one of those that satisfy it.
            caller: must be the one that began the login.
            recovers: whether the method stands in for what somebody has lost: such tries are
                counted apart.

        Raises:
            TooManyAttempts: the five tries of this login, or those of the user, are spent.
            RequestExpired: unknown, over, another caller's, or another step is asked for.
        """
        opened, now = self._open(login_id, caller), self._clock()
        id = opened.payload
        key = pending_key(id)
        of_login = pending_tries(id, recovers=recovers)
        draws = (
            Draw(of_login, (Limit(STEP_TRIES, PENDING_LIFETIME),)),
            _draw_of_user(id[:TAG_BYTES], recovers=recovers),
        )
        attempt = await self._store.attempt(draws, key, now=now, op=new_operation())
        if attempt.refused_by is not None:
            raise TooManyAttempts(attempt.wait, _TOO_MANY)
        pending = self._theirs(key, attempt.value, caller, opened)
        if method not in pending.steps[0].methods:
            raise RequestExpired
        return StepTry(pending, key, attempt.left, Refund.of_all(draws[1:], now))

    async def attempt_by_user(
        self, user_id: str, key: str, *, recovers: bool = False
    ) -> tuple[int, tuple[Refund, ...]]:
        """Count a try at a live session; a user's tries at logins count with them.

        Args:
            user_id: the session's user.
            key: the session's record.
            recovers: as for `attempt`.

        Returns:
            How many tries are left, and what the right answer gives back.

        Raises:
            TooManyAttempts: the user's tries are spent.
            Unauthenticated: the session is over.
        """
        now, slot = self._clock(), user_slot(self._keyring.realm, user_id)
        draws = (_draw_of_user(slot, recovers=recovers),)
        attempt = await self._store.attempt(draws, key, now=now, op=new_operation())
        if attempt.refused_by is not None:
            raise TooManyAttempts(attempt.wait, _TOO_MANY)
        if attempt.value is None:
            raise Unauthenticated
        return attempt.left, Refund.of_all(draws, now)

    def _open(self, login_id: str, caller: Caller) -> Opened:
        opened = self._keyring.open("pending", login_id, size=_ID_BYTES)
        if opened is None or (caller.is_browser and caller.pending != login_id):
            raise RequestExpired
        return opened

    def _theirs(
        self, key: str, value: bytes | None, caller: Caller, opened: Opened
    ) -> PendingLogin:
        record = open_record(self._keyring, "pending", key, value, key_id=opened.key_id)
        if record is None:
            raise RequestExpired
        pending = unpack_pending(record)
        if pending.login.caller != caller.name:
            raise RequestExpired
        return pending


def _draw_of_user(slot: bytes, *, recovers: bool) -> Draw:
    numbers = RECOVERY_TRIES if recovers else USER_TRIES
    limits = tuple(Limit(count, window) for count, window in numbers)
    return Draw(step_tries(slot, recovers=recovers), limits)


_TOO_MANY = Text("Too many wrong codes. Try another way, or try again later.")

"""The one door. Every login method ends here, and only here does a session begin.

    proof ──▶ user found (or made) ──▶ every before_session ──▶ session
                                            │
                                            ├─▶ LoginDenied: the proof is spent, nothing else
                                            └─▶ a step is asked for: pending ──proof──▶ (once more)

The proof's record is taken in the same atomic write that puts the session (or the pending login):
of two requests with the same right code one gets a session, the other "used"; and a process that
dies in between has done neither. A sign-up takes first and makes the user then, so that only the
winner makes one; that costs it a third round trip.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from pwless_middleware.core.address import Address
from pwless_middleware.core.authentication import (
    PENDING_LIFETIME,
    STEP_TRIES,
    Authentication,
    Login,
    PendingLogin,
    Step,
)
from pwless_middleware.core.budget import Draw, Limit, Refund
from pwless_middleware.core.caller import Caller
from pwless_middleware.core.format_v1 import pack_pending, unpack_pending
from pwless_middleware.core.keyring import Keyring, Opened, b64, new_operation
from pwless_middleware.core.session import Session, SessionSecret
from pwless_middleware.core.user import User
from pwless_middleware.errors import (
    ApiError,
    InvalidCode,
    LoginDenied,
    RequestExpired,
    StepRequired,
    TooManyAttempts,
)
from pwless_middleware.flows.bound_records import open_record
from pwless_middleware.flows.sessions import Sessions
from pwless_middleware.flows.users import Users
from pwless_middleware.stores.base import Put, Store, Writes

logger = logging.getLogger("pwless.logins")

BeforeChallenge = Callable[[str], Awaitable[None]]
"""Asked with the address's domain before any mail goes out; raises `LoginDenied` to refuse."""
BeforeSession = Callable[[Login], Awaitable[Step | None]]
"""Asked before there is a session: `None`, a further `Step`, or `LoginDenied`.

Asked again after each step; `Login.methods` says what is proven by then.
"""
_PENDING_ID_BYTES = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a caller has proven, and what must still be spent for it.

    Attributes:
        address: proven.
        authentication: how and when.
        taken: the record to take: the proof's single use.
        refunds: what the winning take gives back: this proof's own count.
        may_create: whether an unknown address becomes a user.
        refusal: what to raise where nobody is to be served: the same as for a wrong proof.
        next, state, template, kind, device: carried along; see `Login`.
    """

    address: Address = field(repr=False)
    authentication: Authentication
    taken: str
    refunds: tuple[Refund, ...]
    may_create: bool
    refusal: ApiError
    next: str
    state: str | None
    template: str
    kind: str
    device: str


@dataclass(frozen=True, slots=True)
class LoginResult:
    """What a finished login brings.

    Attributes:
        session: the record.
        secret: for the cookie or the token; exists nowhere else.
        user: who; `is_new` if this login made the user.
        login: what it was made from.
    """

    session: Session
    secret: SessionSecret = field(repr=False)
    user: User
    login: Login


class Logins:
    """Turn proofs into sessions, and nothing else into sessions.

    Args:
        store, keyring, users, sessions: what it works with.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        users: Users,
        sessions: Sessions,
        clock: Callable[[], int],
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._users = users
        self._sessions = sessions
        self._clock = clock
        self._before_challenge: tuple[BeforeChallenge, ...] = ()
        self._before_session: tuple[BeforeSession, ...] = ()

    def bind(
        self,
        before_challenge: Sequence[BeforeChallenge],
        before_session: Sequence[BeforeSession],
    ) -> None:
        """Take the rules of all features, once, as the product is put together."""
        self._before_challenge = tuple(before_challenge)
        self._before_session = tuple(before_session)

    @property
    def may_lead_away(self) -> bool:
        """Whether a rule may send a browser elsewhere before any mail goes out."""
        return bool(self._before_challenge)

    async def check_challenge(self, domain: str) -> None:
        """Ask every `before_challenge`.

        Raises:
            LoginDenied: one of them refuses; nothing was counted or sent.
        """
        for rule in self._before_challenge:
            await rule(domain)

    async def finish(self, proof: Proof, caller: Caller) -> LoginResult:
        """Spend a proof and open the door.

        Raises:
            StepRequired: every check has passed but a further step is asked for.
            LoginDenied: a rule or the directory refuses; the proof is spent.
            RequestExpired: somebody else has spent the proof.
            InvalidCode, RequestExpired: `proof.refusal`: there is nobody to serve; not spent.
            Unavailable: store or directory failed; spent or not, there is no session.
        """
        user = await self._users.find(proof.address)
        taken: str | None = proof.taken
        refunds = proof.refunds
        if user is None:
            if not proof.may_create:
                raise proof.refusal
            await self._spend(proof.taken, Writes(refunds=refunds))
            taken, refunds = None, ()  # both are done, and done once
            user = replace(await self._users.create(proof.address), is_new=True)
        login = Login(
            user_id=user.id,
            email=proof.address,
            is_new=user.is_new,
            authentications=(proof.authentication,),
            caller=caller.name,
            device=proof.device,
            next=proof.next,
            state=proof.state,
            template=proof.template,
            kind=proof.kind,
        )
        return await self._pass(login, caller, user=user, taken=taken, refunds=refunds)

    async def pending(self, login_id: str, caller: Caller) -> PendingLogin:
        """Return a pending login, for the page of its step.

        Raises:
            RequestExpired: unknown, over, or another caller's.
        """
        id, key_id = self._open(login_id, caller)
        key = _pending_key(id)
        return self._theirs(key, await self._store.read(key, now=self._clock()), caller, key_id)

    async def do_step(
        self,
        login_id: str,
        method: str,
        caller: Caller,
        check: Callable[[Login], Awaitable[bool]],
    ) -> LoginResult:
        """Try a pending login's next step: count, load, compare, take, through the same door.

        Args:
            login_id: the pending login's handle.
            method: the step that is being done.
            caller: must be the one that began the login.
            check: says whether the proof is right; asked only after the try was counted.

        Raises:
            InvalidCode: the proof is wrong.
            TooManyAttempts: the five tries of this login or of the user are spent.
            StepRequired: this step is done, another is asked for.
            RequestExpired, LoginDenied, Unavailable: as in `finish`.
        """
        (id, key_id), now = self._open(login_id, caller), self._clock()
        key, tries = _pending_key(id), Limit(STEP_TRIES, PENDING_LIFETIME)
        of_user = "{" + b64(id[:16]) + "}k" + self._keyring.name("step", method)
        draws = (Draw(key + "t", (tries,)), Draw(of_user, (tries,)))
        attempt = await self._store.attempt(draws, key, now=now, op=new_operation())
        if attempt.refused_by is not None:
            raise TooManyAttempts(attempt.wait)
        pending = self._theirs(key, attempt.value, caller, key_id)
        if pending.steps[0].method != method:
            raise RequestExpired
        if self._users.is_table and await self._users.load(pending.login.user_id) is None:
            raise RequestExpired  # the user has gone meanwhile
        if not await check(pending.login):
            raise InvalidCode(attempt.left)
        login = replace(
            pending.login,
            authentications=(*pending.login.authentications, Authentication(method, now)),
        )
        refunds = Refund.of_all(draws[1:], now)
        return await self._pass(login, caller, user=None, taken=key, refunds=refunds)

    # --- the door ------------------------------------------------------------------------------

    async def _pass(
        self,
        login: Login,
        caller: Caller,
        *,
        user: User | None,
        taken: str | None,
        refunds: tuple[Refund, ...],
    ) -> LoginResult:
        now = self._clock()
        try:
            steps = [step for rule in self._before_session if (step := await rule(login))]
        except LoginDenied:
            if taken is not None:
                await self._spend(taken, Writes())
            raise
        missing = [step for step in steps if step.method not in login.methods]
        if missing:
            await self._suspend(login, missing, taken, refunds)
        secret, session, put = self._sessions.mint(login, now)
        # A login ends what was there (security rule 20).
        drops = self._sessions.drops(caller.session) if caller.session is not None else ()
        if caller.ends is not None:
            drops = (*drops, self._sessions.drop(caller.ends))
        await self._spend(taken, Writes(puts=(put,), drops=drops, refunds=refunds))
        user = user or User(id=login.user_id, email=login.email, is_new=login.is_new)
        logger.info(
            "signed in by %s",
            " and ".join(login.methods),
            extra={"event": "signed_in", "methods": login.methods},
        )
        return LoginResult(session, secret, user, login)

    async def _suspend(
        self,
        login: Login,
        steps: Sequence[Step],
        taken: str | None,
        refunds: tuple[Refund, ...],
    ) -> None:
        id = self._sessions.slot_of(login.user_id) + secrets.token_bytes(12)
        until = self._clock() + PENDING_LIFETIME
        pending = PendingLogin(login, tuple(steps), until)
        listed = self._sessions.pending_list(login.user_id)
        key, key_id = _pending_key(id), self._keyring.current
        record = self._keyring.bind("pending", key, pack_pending(pending), key_id=key_id)
        put = Put(key, record, until=until, listed=listed)
        await self._spend(taken, Writes(puts=(put,), refunds=refunds))
        login_id = self._keyring.seal("pending", id, key_id=key_id)
        raise StepRequired(login_id, [s.method for s in steps], until, steps[0].path)

    async def _spend(self, taken: str | None, then: Writes) -> None:
        now, op = self._clock(), new_operation()
        if taken is None:
            await self._store.write(then, now=now, op=op)
        elif not await self._store.take(taken, then, now=now, op=op):
            raise RequestExpired

    def _open(self, login_id: str, caller: Caller) -> Opened:
        opened = self._keyring.open("pending", login_id, size=_PENDING_ID_BYTES)
        if opened is None or (caller.is_browser and caller.pending != login_id):
            raise RequestExpired
        return opened

    def _theirs(self, key: str, value: bytes | None, caller: Caller, key_id: str) -> PendingLogin:
        record = open_record(self._keyring, "pending", key, value, key_id=key_id)
        if record is None:
            raise RequestExpired
        pending = unpack_pending(record)
        if pending.login.caller != caller.name:
            raise RequestExpired
        return pending


def _pending_key(id: bytes) -> str:
    return "{" + b64(id[:16]) + "}p" + b64(id[16:])

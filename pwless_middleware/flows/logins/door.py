"""The door: the one place where a session begins (security rules 1, 20 and 24).

    login ──▶ every before_session rule ──▶ session
                     │
                     ├─▶ LoginDenied, or a redirect: the proof is spent, nothing else
                     └─▶ a step is missing: the login waits ──proof──▶ (once more)

`make_door` returns a function. The mint, and the key that cookies and records of sessions are made
with, exist only inside of it: whoever holds the function, by whatever way, can make a session only
of a login that no rule refuses.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import field, replace

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Keyring, new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.logins.session import Session, SessionPolicy, SessionSecret
from pwless_middleware.core.logins.verdict import Verdict
from pwless_middleware.core.people.user import User
from pwless_middleware.core.storage.format_v1 import pack_session
from pwless_middleware.core.storage.store_keys import (
    session_id_of,
    session_list,
    session_place,
    user_slot,
)
from pwless_middleware.errors import (
    LoginDenied,
    LoginElsewhere,
    RequestExpired,
    StepRequired,
    Unauthenticated,
)
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.logins.login_rules import Decision, LoginRules, ask_before_session
from pwless_middleware.flows.logins.pending_logins import PendingLogins
from pwless_middleware.flows.logins.proofs import Holds
from pwless_middleware.flows.logins.withdrawals import Withdrawals
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX, Sessions
from pwless_middleware.stores.base import Drop, Put, Store, Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A login at the door.

    Attributes:
        login: what is proven.
        caller: by whom.
        user: who, where already loaded; `None` takes what the login says.
        takes: the record to take: the proof's single use; `None` if that is done.
        then: what the winning take writes besides.
        renews: the live session that this is a fresh proof for; `None` for a new login.
        holds: whether what has proven it is still there; asked once it is written.
    """

    login: Login
    caller: Caller
    user: User | None
    takes: str | None
    then: Writes
    renews: Session | None = None
    holds: Holds | None = None


@dataclass(frozen=True, slots=True)
class LoginResult:
    """What a finished login brings.

    Attributes:
        session: the record.
        cookie: the value of the session cookie; it opens the session and exists nowhere else.
        token: the same session as a token, `pws_…`; empty for a browser, which gets none.
        user: who; `is_new` if this login made the user.
        login: what it was made from.
        is_renewal: whether it was a fresh proof for a session that was there already.
    """

    session: Session
    cookie: str = field(repr=False)
    token: str = field(repr=False)
    user: User
    login: Login
    is_renewal: bool = False


Door = Callable[[Entry], Awaitable[LoginResult]]


async def spend(store: Store, key: str | None, then: Writes, *, now: int) -> None:
    """Take a record and do these writes, in one step; without a record, only write.

    Raises:
        RequestExpired: somebody else has taken it.
    """
    op = new_operation()
    if key is None:
        await store.write(then, now=now, op=op)
    elif not await store.take(key, then, now=now, op=op):
        raise RequestExpired


def make_door(
    store: Store,
    keyring: Keyring,
    policy: Callable[[], SessionPolicy],
    rules: LoginRules,
    sessions: Sessions,
    pending_logins: PendingLogins,
    withdrawals: Withdrawals,
    *,
    url: str,
    clock: Callable[[], int],
    events: Events,
    require: Callable[[], Awaitable[None]],
    wake: Callable[[], Awaitable[None]],
) -> Door:
    """Return the function that makes a session of a login, once every rule has agreed.

    Args:
        store: where sessions live.
        keyring: seals cookies and tokens, and binds records of sessions.
        policy: returns how long sessions live at most, now.
        rules: those of all features.
        sessions: names what a login ends.
        pending_logins: keep the logins that wait for a step.
        withdrawals: say what a renewal must not carry on.
        url: of our pages, with the mount prefix; for `LoginElsewhere`.
        clock: returns unix seconds.
        events: records which sessions begin and end.
        require: returns once the policy is known, and raises `Unavailable` where it cannot be.
        wake: has what was queued delivered.
    """

    def mint(
        login: Login, verdict: Verdict, renews: Session | None, now: int
    ) -> tuple[SessionSecret, str, Session, Put]:
        """Make a session; it is not written yet.

        The id is new each time, whatever the browser brought along (OWASP Session Management,
        "Renew the Session ID After Any Privilege Level Change").
        """
        slot = user_slot(keyring.realm, login.user_id)
        while True:
            secret = SessionSecret(secrets.token_bytes(32) + slot)
            cookie = keyring.seal("session", secret)
            if not cookie.startswith(TOKEN_PREFIX):  # no cookie looks like a token
                break
        key, id = session_place(secret)
        life = policy()
        if verdict.session is not None:
            life = life.stricter(verdict.session)
        created_at = now if renews is None else renews.created_at
        session = Session(
            id=id,
            user_id=login.user_id,
            email=login.email,
            created_at=created_at,
            seen_at=now,
            idle=life.idle,
            expires_at=created_at + life.absolute,
            authentications=login.authentications,
            device=login.device,
            organization=verdict.organization,
        )
        if renews is not None:  # a fresh proof makes no session live longer
            session = replace(
                session,
                login_id=renews.first_id,
                idle=min(session.idle, renews.idle),
                expires_at=min(session.expires_at, renews.expires_at),
            )
        record = keyring.bind("session", key, pack_session(session), key_id=keyring.current)
        put = Put(key, record, until=session.ends_at, listed=session_list(slot))
        return secret, cookie, session, put

    async def decide(login: Login, renews: Session | None) -> tuple[Login, Decision]:
        """Ask every rule, and admit to an organization who may have a session in it.

        Returns:
            The login, with the organization that it enters, and what the rules say of it.

        Raises:
            LoginDenied: a rule refuses, or (`LoginElsewhere`) sends the login elsewhere.
        """
        # A session stays in its organization; into another one only a rule's verdict leads.
        stays = renews is not None and renews.organization == login.organization
        if login.organization is None and not login.is_renewal and rules.entrance is not None:
            # Every rule judges the same one, whatever becomes of memberships meanwhile.
            login = replace(login, organization=await rules.entrance(login))
        decision = await ask_before_session(
            rules, login, organization=login.organization if stays else None
        )
        if decision.redirect is not None:
            path = decision.redirect.with_next(login.next)
            raise LoginElsewhere(path, login_url=url + path)
        if not decision.missing:
            for admit in decision.verdict.admissions:
                await admit()
        return login, decision

    async def suspend(entry: Entry, login: Login, decision: Decision, now: int) -> StepRequired:
        """Have a login wait for its steps; return what its caller is told."""
        renewed = entry.renews.id if entry.renews is not None else None
        waiting = replace(login, organization=decision.verdict.organization)
        put, error = pending_logins.suspend(waiting, decision.missing, renewed)
        waits = replace(entry.then, puts=(*entry.then.puts, put))
        await spend(store, entry.takes, waits, now=now)
        await check_written(entry, Drop(put.key, listed=put.listed))
        events.record(
            "step.required",
            entry.caller,
            attempt=login.attempt,
            organization=waiting.organization,
            methods=error.steps,
        )
        return error

    async def write(entry: Entry, put: Put, jobs: tuple[bytes, ...], now: int) -> tuple[Drop, ...]:
        """Write a session, and return what it has ended: what was there (security rule 20)."""
        caller, then = entry.caller, entry.then
        drops = sessions.drops(caller.session) if caller.session is not None else ()
        if caller.ends is not None:
            drops = (*drops, sessions.drop(caller.ends))
        if entry.renews is None:
            begins = replace(
                then,
                puts=(*then.puts, put),
                drops=(*then.drops, *drops),
                jobs=(*then.jobs, *jobs),
            )
            await spend(store, entry.takes, begins, now=now)
            return drops
        # Two takes: the proof is spent once, and a session that was revoked meanwhile does not
        # come back. A process that dies between them has spent the proof, and no more.
        await spend(store, entry.takes, then, now=now)
        old = sessions.drop(entry.renews)
        drops = (old, *(drop for drop in drops if drop.key != old.key))
        begins = Writes(puts=(put,), drops=drops)
        if not await store.take(old.key, begins, now=now, op=new_operation()):
            raise Unauthenticated
        return drops

    async def check_written(entry: Entry, written: Drop) -> None:
        """Undo what was written if the factor was removed meanwhile (security rule 46)."""
        if entry.renews is not None:
            await withdrawals.check(entry.renews, entry.login, written)
        if entry.holds is not None and not await entry.holds():
            await store.write(Writes(drops=(written,)), now=clock(), op=new_operation())
            raise RequestExpired if entry.renews is None else Unauthenticated

    def record(entry: Entry, login: Login, session: Session, drops: tuple[Drop, ...]) -> None:
        """Record that a session began, and which ended by it."""
        events.record(
            "session.created" if entry.renews is None else "session.renewed",
            entry.caller,
            attempt=login.attempt,
            user_id=login.user_id,
            organization=session.organization,
            address=Address(login.email),
            methods=login.methods,
            session=session.id,
        )
        for drop in drops:
            is_old = entry.renews is not None and session_id_of(drop.key) == entry.renews.id
            reason = "renewed" if is_old else "replaced"
            events.record("session.ended", session=session_id_of(drop.key), reason=reason)

    async def enter(entry: Entry) -> LoginResult:
        caller, renews = entry.caller, entry.renews
        login = replace(entry.login, trusted=caller.trusted, is_renewal=renews is not None)
        await require()
        now = clock()
        try:
            login, decision = await decide(login, renews)
        except LoginDenied:
            if entry.takes is not None:
                await spend(store, entry.takes, replace(entry.then, refunds=()), now=now)
            raise
        if decision.missing:
            raise await suspend(entry, login, decision, now)
        secret, cookie, session, put = mint(login, decision.verdict, renews, now)
        jobs = rules.jobs_with(login, session, caller) if renews is None else ()
        drops = await write(entry, put, jobs, now)
        await check_written(entry, sessions.drop(session))
        record(entry, login, session, drops)
        if jobs or entry.then.jobs:
            await wake()
        token = "" if caller.is_browser else TOKEN_PREFIX + keyring.seal("token", secret)
        user = entry.user or User(id=login.user_id, email=login.email, is_new=login.is_new)
        return LoginResult(session, cookie, token, user, login, renews is not None)

    return enter

"""Logins: every login method ends here, and only here does a session begin.

    proof ──▶ user found (or made) ──▶ the door (`flows.logins.door`) ──▶ session

The proof's record is taken in the same atomic write that puts the session (or the pending login):
of two requests with the same right code one gets a session, the other "used"; and a process that
dies in between has done neither. A sign-up takes first and makes the user then, so that only the
winner makes one; that costs it a third round trip.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import Challenge
from pwless_middleware.core.challenges.challenge_context import ChallengeContext
from pwless_middleware.core.logins.authentication import renew
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import EnrolledUser, Login, PendingLogin
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.organizations.organization import id_in
from pwless_middleware.core.people.user import User, UserId
from pwless_middleware.core.spans import Spans
from pwless_middleware.errors import (
    ApiError,
    ConfigError,
    InvalidCode,
    LoginDenied,
    LoginElsewhere,
    RequestExpired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.flows.capabilities.feature_store import KeyRule, check_key, check_writes
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.logins.door import Door, Entry, LoginResult, spend
from pwless_middleware.flows.logins.login_events import answering_as_nobody, recording_refusals
from pwless_middleware.flows.logins.login_rules import (
    LoginRules,
    ask_before_challenge,
    ask_before_session,
)
from pwless_middleware.flows.logins.pending_logins import PendingLogins, StepTry
from pwless_middleware.flows.logins.proofs import Proof, StepCheck
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.sessions.sessions import Sessions
from pwless_middleware.stores.base import Store, Writes
from pwless_middleware.text import Text


class Logins:
    """Turn proofs into sessions, and nothing else into sessions.

    Args:
        door: makes a session of a login that no rule refuses.
        store: where proofs are taken.
        users: who is known.
        sessions: reads the session that a fresh proof is for.
        pending_logins: keep the logins that wait for a step.
        rules: those of all features.
        feature: whose logins these are; it can prove its own methods only (`LoginRules.owners`).
        may_name: whether a record or list is one that the feature's proofs may take and write.
        url: of our pages, with the mount prefix; for `LoginElsewhere`.
        clock: returns unix seconds.
        events: records how logins end.
        spans: are told of steps.
    """

    def __init__(
        self,
        door: Door,
        store: Store,
        users: Users,
        sessions: Sessions,
        pending_logins: PendingLogins,
        rules: LoginRules,
        *,
        feature: str,
        may_name: KeyRule,
        url: str,
        clock: Callable[[], int],
        events: Events,
        spans: Spans,
    ) -> None:
        self._enter = door
        self._spans = spans
        self._store = store
        self._users = users
        self._sessions = sessions
        self._pending_logins = pending_logins
        self._rules = rules
        self._feature = feature
        self._may_name = may_name
        self._url = url
        self._clock = clock
        self._events = events

    @property
    def may_lead_away(self) -> bool:
        """Whether a rule may send a browser elsewhere before any mail goes out."""
        return bool(self._rules.before_challenge)

    async def may_mail(self, challenge: Challenge) -> bool:
        """Whether no rule holds the mail of a challenge back.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        return await self._rules.allow_mail(challenge)

    async def may_sign_up(self, address: Address) -> bool:
        """Whether the owner of an address may become a user where strangers may not.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        return await self._rules.admit_new(address)

    async def check_challenge(
        self, context: ChallengeContext, caller: Caller | None = None
    ) -> None:
        """Ask every `before_challenge` rule.

        Args:
            context: what the rules are told.
            caller: who asks, for the event of a refusal; `None` if that is not known.

        Raises:
            LoginElsewhere: a rule sends this login to another page.
            LoginDenied: one of them refuses. Either way nothing was counted or sent.
        """
        wanted = context.organization
        with recording_refusals(self._events, caller, organization=wanted):
            redirect = await ask_before_challenge(self._rules, context)
            if redirect is not None:
                path = redirect.with_next(context.next)
                raise LoginElsewhere(path, login_url=self._url + path)

    async def leads_elsewhere(self, domain: str) -> bool:
        """Whether a rule sends who has an address at a domain to another page to sign in.

        Args:
            domain: canonical.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        try:
            context = ChallengeContext(domain=domain)
            return await ask_before_challenge(self._rules, context) is not None
        except LoginDenied as denied:  # nobody signs in so, and so nobody into another's account
            return isinstance(denied, LoginElsewhere)

    async def finish(self, proof: Proof, caller: Caller) -> LoginResult:
        """Spend a proof and begin a session.

        Raises:
            StepRequired: every check has passed but a further step is asked for.
            LoginDenied, LoginElsewhere: a rule or the directory refuses; the proof is spent.
            ConfigError: the feature does not prove this method, or names a record that is not for
                features; here as below.
            RequestExpired: somebody else has spent the proof.
            InvalidCode, RequestExpired: `proof.refusal`: there is nobody to serve; not spent.
            Unavailable: store or directory failed; spent or not, there is no session.
        """
        self._check_feature(proof)
        self._record_verified(proof, caller, proof.organization)
        with (
            answering_as_nobody(proof.refusal),
            self._recording_refusals(proof, caller, proof.organization),
        ):
            return await self._finish(proof, caller)

    async def _finish(self, proof: Proof, caller: Caller) -> LoginResult:
        found = await self._users.of(proof.subject)
        takes = proof.takes
        then = proof.then
        if found is None:
            if isinstance(proof.subject, EnrolledUser):
                raise proof.refusal
            if not (proof.may_create or await self.may_sign_up(proof.subject)):
                raise proof.refusal
            await spend(self._store, proof.takes, then, now=self._clock())
            takes, then = None, Writes()  # both are done, and done once
            user = await self._users.create(proof.subject)
            found = user, proof.subject
            if user.is_new:
                self._events.record(
                    "user.created",
                    caller,
                    attempt=proof.attempt,
                    user_id=user.id,
                    address=proof.subject,
                )
        login = _login(proof, caller, *found)
        entry = Entry(
            login=login,
            caller=caller,
            user=found[0],
            takes=takes,
            then=then,
            holds=proof.holds,
        )
        return await self._enter(entry)

    async def step_up(self, proof: Proof, caller: Caller, session: Session) -> LoginResult:
        """Spend a proof on a live session: a fresh authentication, through the same rules.

        The session gets a new id and the old one ends in the same write. It began and ends when it
        did before; its authentications are those it had and this one, in place of an older one by
        the same method.

        Args:
            proof: of the session's own user.
            caller: who holds the session.
            session: the session; it is read again, so that one that has ended meanwhile, or is
                another than the store's, is worth nothing.

        Raises:
            Unauthenticated: the session is over; the proof may be spent.
            LoginDenied: the proof is another user's, or a rule or the directory refuses; the proof
                is spent.
            StepRequired, LoginElsewhere, RequestExpired, InvalidCode, Unavailable: as in `finish`.
        """
        self._check_feature(proof)
        self._record_verified(proof, caller, session.organization)
        with (
            answering_as_nobody(proof.refusal),
            self._recording_refusals(proof, caller, session.organization),
        ):
            return await self._step_up(proof, caller, session)

    async def _step_up(self, proof: Proof, caller: Caller, session: Session) -> LoginResult:
        found = await self._users.of(proof.subject)
        if found is None:
            raise proof.refusal
        live = await self._sessions.find_by_id(session.user_id, session.id)
        if live is None:
            raise Unauthenticated
        if found[0].id != live.user_id:
            then = replace(proof.then, refunds=())
            await spend(self._store, proof.takes, then, now=self._clock())
            raise LoginDenied(Text("This is not the account that is signed in here."))
        login = replace(
            _login(proof, caller, *found),
            authentications=renew(live.authentications, proof.authentication),
            organization=live.organization,
            device=proof.device or live.device,
        )
        entry = Entry(
            login=login,
            caller=caller,
            user=found[0],
            takes=proof.takes,
            then=proof.then,
            renews=live,
            holds=proof.holds,
        )
        return await self._enter(entry)

    async def enter_organization(
        self, session: Session, organization: str, caller: Caller, *, next: str = "/"
    ) -> LoginResult:
        """Take a live session into another organization, where the rules let it in as it is.

        Nothing is proven by it: what the session has proven has to be enough there too (security
        rule 55). The session gets a new id and the old one ends in the same write; it lives no
        longer than it did.

        Args:
            session: is read again, so that one that has ended meanwhile is worth nothing.
            organization: its id.
            caller: who holds the session.
            next: the path that a browser goes to afterwards; already checked.

        Raises:
            StepRequired: a further step is asked for; the session that it leads to is in the
                organization.
            LoginElsewhere: it has to begin anew, elsewhere.
            LoginDenied: a rule refuses, or none lets anybody in; the session stays as it was.
            Unauthenticated: the session is over.
            Unavailable: it cannot be known.
        """
        with recording_refusals(self._events, caller, organization=organization):
            live = await self._sessions.find_by_id(session.user_id, session.id)
            if live is None:
                raise Unauthenticated
            subject = EnrolledUser(UserId(live.user_id), Address(live.email))
            found = await self._users.of(subject)
            if found is None:
                raise Unauthenticated
            login = replace(
                _login_of(live, caller), email=found[1], organization=organization, next=next
            )
            entry = Entry(
                login=login, caller=caller, user=found[0], takes=None, then=Writes(), renews=live
            )
            return await self._enter(entry)

    async def is_enough(self, session: Session, caller: Caller, *, since: int) -> bool:
        """Whether a login would be asked for no further proof after those of a session.

        In a browser that is not trusted, whichever it is. A step in which a proof is made does not
        count: who has none is asked for none here.

        Args:
            session: alive.
            caller: who holds it.
            since: unix seconds; older proofs are left out.

        Raises:
            LoginDenied: a rule refuses such a login.
            Unavailable: it cannot be known.
        """
        fresh = tuple(one for one in session.authentications if one.at >= since)
        older = tuple(one for one in session.authentications if one.at < since)
        login = replace(_login_of(session, caller), authentications=fresh, older=older)
        decision = await ask_before_session(self._rules, login, organization=login.organization)
        return all(step.enrolls for step in decision.missing)

    async def pending(self, login_id: str, caller: Caller) -> PendingLogin:
        """Return a pending login, for the page of its step.

        Raises:
            RequestExpired: unknown, over, or another caller's.
        """
        return await self._pending_logins.read(login_id, caller)

    async def do_step(
        self, login_id: str, method: str, caller: Caller, check: StepCheck
    ) -> LoginResult:
        """Try a pending login's next step: count, load, compare, take, through the same door.

        Args:
            login_id: the pending login's handle.
            method: by which the step is tried; one of the step's methods.
            caller: must be the one that began the login.
            check: returns what the answer proves, or `None` if it is wrong; asked only after the
                try was counted.

        Raises:
            InvalidCode: the answer is wrong.
            TooManyAttempts: the five tries of this login, or those of the user, are spent.
            StepRequired: this step is done, another is asked for.
            RequestExpired: unknown, over, another caller's, or waits for another step; or its user
                has gone.
            Unauthenticated: it was a fresh proof for a session that is over.
            LoginDenied, LoginElsewhere, Unavailable: as in `finish`.
        """
        self._check_owner(method)
        with self._spans.step("pwless.step") as note:
            note("pwless.method", method)
            return await self._count_and_do_step(login_id, method, caller, check)

    async def _count_and_do_step(
        self, login_id: str, method: str, caller: Caller, check: StepCheck
    ) -> LoginResult:
        try:
            recovers = method in self._rules.recovers
            step = await self._pending_logins.attempt(login_id, method, caller, recovers=recovers)
        except TooManyAttempts as error:
            wait = error.retry_after
            self._events.record("limit.reached", caller, reason="try_by_step", wait=wait)
            raise
        except RequestExpired:
            self._events.record("login.refused", caller, reason="unknown")
            raise
        nobody = RequestExpired()  # the user has gone meanwhile
        login = step.pending.login
        with recording_refusals(
            self._events, caller, login.attempt, organization=login.organization, nobody=nobody
        ):
            return await self._do_step(step, method, caller, check, nobody=nobody)

    async def _do_step(
        self, step: StepTry, method: str, caller: Caller, check: StepCheck, *, nobody: ApiError
    ) -> LoginResult:
        waiting = step.pending.login
        if self._users.is_table and await self._users.load(waiting.user_id) is None:
            raise nobody
        renews = None
        if step.pending.renews is not None:
            renews = await self._sessions.find_by_id(waiting.user_id, step.pending.renews)
            if renews is None:
                raise Unauthenticated
        right = await check(waiting)
        attempt, user_id = waiting.attempt, waiting.user_id
        if right is None:
            self._events.record(
                "step.wrong",
                caller,
                attempt=attempt,
                user_id=user_id,
                organization=waiting.organization,
                method=method,
                tries_left=step.left,
            )
            raise InvalidCode(step.left, _WRONG)
        check_writes(right.then, self._may_name)
        if right.authentication.method != method:
            raise ValueError(f"the check of {method} returned {right.authentication.method}")
        self._events.record(
            "step.verified",
            caller,
            attempt=attempt,
            user_id=user_id,
            organization=waiting.organization,
            method=method,
        )
        login = replace(
            waiting, authentications=renew(waiting.authentications, right.authentication)
        )
        entry = Entry(
            login=login,
            caller=caller,
            user=None,
            takes=step.key,
            then=replace(right.then, refunds=step.refunds),
            renews=renews,
            holds=right.holds,
        )
        return await self._enter(entry)

    async def do_step_up(
        self,
        method: str,
        caller: Caller,
        session: Session,
        check: StepCheck,
        *,
        next: str = "/",
    ) -> LoginResult:
        """Try a method by which a live session is renewed: count, compare, through the same door.

        Args:
            method: by which it is tried.
            caller: who holds the session.
            session: the session; as of `step_up`.
            check: returns what the answer proves, or `None` if it is wrong; asked only after the
                try was counted.
            next: the path that a browser goes to afterwards; already checked.

        Raises:
            InvalidCode: the answer is wrong.
            TooManyAttempts: the user's tries are spent.
            Unauthenticated: the session is over.
            StepRequired, LoginDenied, LoginElsewhere, Unavailable: as in `step_up`.
        """
        self._check_owner(method)
        key = self._sessions.drop(session).key
        try:
            recovers = method in self._rules.recovers
            left, refunds = await self._pending_logins.attempt_by_user(
                session.user_id, key, recovers=recovers
            )
        except TooManyAttempts as error:
            wait = error.retry_after
            self._events.record("limit.reached", caller, reason="try_by_step", wait=wait)
            raise
        right = await check(_login_of(session, caller))
        user_id = session.user_id
        if right is None:
            self._events.record(
                "step.wrong",
                caller,
                user_id=user_id,
                organization=session.organization,
                method=method,
                tries_left=left,
            )
            raise InvalidCode(left, _WRONG)
        if right.authentication.method != method:
            raise ValueError(f"the check of {method} returned {right.authentication.method}")
        proof = Proof(
            subject=EnrolledUser(UserId(user_id), Address(session.email)),
            authentication=right.authentication,
            takes=None,
            refusal=Unauthenticated(),
            then=replace(right.then, refunds=refunds),
            next=next,
            device=caller.device,
            holds=right.holds,
        )
        return await self.step_up(proof, caller, session)

    def _record_verified(self, proof: Proof, caller: Caller, organization: str | None) -> None:
        self._events.record(
            "login.verified",
            caller,
            attempt=proof.attempt,
            organization=id_in(organization),
            method=proof.authentication.method,
        )

    def _recording_refusals(
        self, proof: Proof, caller: Caller, organization: str | None
    ) -> AbstractContextManager[None]:
        return recording_refusals(
            self._events,
            caller,
            proof.attempt,
            organization=organization,
            nobody=proof.refusal,
        )

    def _check_feature(self, proof: Proof) -> None:
        """Refuse a proof that its feature may not give, or that names another's records."""
        self._check_owner(proof.authentication.method)
        if proof.takes is not None:
            check_key(proof.takes, self._may_name)
        check_writes(proof.then, self._may_name)

    def _check_owner(self, method: str) -> None:
        if self._rules.owners.get(method) != self._feature:
            owner = self._rules.owners.get(method)
            whose = f"is {owner}'s" if owner is not None else "is nobody's"
            raise ConfigError(
                "features",
                f"{self._feature} ends a login by {method!r}, which {whose}: a feature names the "
                "methods that it proves in Mounted.proves",
            )


def _login(proof: Proof, caller: Caller, user: User, address: Address) -> Login:
    was_made = isinstance(proof.subject, EnrolledUser) and proof.subject.is_new
    return Login(
        user_id=user.id,
        email=address,
        is_new=user.is_new or was_made,
        authentications=(proof.authentication,),
        caller=caller.name,
        device=proof.device,
        next=proof.next,
        organization=proof.organization,
        answer=proof.answer,
        attempt=proof.attempt,
    )


def _login_of(session: Session, caller: Caller) -> Login:
    return Login(
        user_id=session.user_id,
        email=session.email,
        is_new=False,
        authentications=session.authentications,
        caller=caller.name,
        device=session.device,
        organization=session.organization,
        is_renewal=True,
    )


_WRONG = Text("That code is not right.")

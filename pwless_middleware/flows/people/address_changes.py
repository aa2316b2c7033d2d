"""Changes of address: proven from the new one, told to the old one, and undone from there.

    start ──▶ code to the new address ──▶ confirm ──▶ changed ──72 h──▶ for good
                                                         │
                                                         └──▶ undone, by a link sent to the old one

The code is a challenge in the name of the session that asked (`Caller.for_address_change`): it
signs nobody in, and serves no other session or browser. Its take queues what has to be done after
the change (ending sessions, telling the old address), so that a process that dies in between loses
none of it; a change that did not come about is not told. The change itself is one transaction of
the database, which compares the old address.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address, domain_of
from pwless_middleware.core.addresses.address_change import CHANGE_ID_BYTES, AddressChange
from pwless_middleware.core.challenges.challenge import ChallengeId
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import EnrolledUser
from pwless_middleware.core.logins.session import Session
from pwless_middleware.errors import (
    InvalidArgument,
    LoginDenied,
    RequestExpired,
)
from pwless_middleware.flows.capabilities.feature_jobs import FeatureJobs
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.challenges.challenge_verifier import ChallengeVerifier
from pwless_middleware.flows.challenges.challenges import Challenges, NewChallenge, SentChallenge
from pwless_middleware.flows.challenges.fixed_codes import FixedCodes
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.logins.door import LoginResult, spend
from pwless_middleware.flows.logins.logins import Logins
from pwless_middleware.flows.people.address_change_jobs import (
    CHANGED,
    UNDO_PURPOSE,
    UNDONE,
    WITHDRAWN,
    OnAddressUndone,
)
from pwless_middleware.flows.people.change_jobs import UNDER_WAY
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.sessions.sessions_view import SessionsView
from pwless_middleware.flows.signals.signals import Signals
from pwless_middleware.stores.base import Store, Writes
from pwless_middleware.text import Text

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.people.address_changes import AddressChangeRepository

_TEST: Final = Text("A test address stays as it is.")
_ELSEWHERE: Final = Text("Sign in with your company's login here.")
_TAKEN: Final = Text("This address belongs to another account by now.")


class AddressChanges:
    """Change addresses, and undo it.

    Args:
        challenges, verifier, store, logins, users, sessions, signals: what it works with.
        repository: keeps the changes.
        secrets, records, jobs: of the feature.
        fixed: know the addresses that nobody moves from; `None` where there are none.
        on_undone: returns who is told of an undo, in order.
        in_table: whether the host's own table has the addresses, and changes them.
        clock: gives unix seconds.
        events: records what happens.
    """

    def __init__(
        self,
        challenges: Challenges,
        verifier: ChallengeVerifier,
        store: Store,
        logins: Logins,
        users: Users,
        sessions: SessionsView,
        signals: Signals,
        repository: AddressChangeRepository,
        secrets: FeatureSecrets,
        records: Records,
        jobs: FeatureJobs,
        *,
        fixed: FixedCodes | None,
        on_undone: Callable[[], Iterable[OnAddressUndone]],
        in_table: bool,
        clock: Callable[[], int],
        events: Events,
    ) -> None:
        self._challenges = challenges
        self._verifier = verifier
        self._store = store
        self._logins = logins
        self._users = users
        self._sessions = sessions
        self._signals = signals
        self._repository = repository
        self._secrets = secrets
        self._records = records
        self._jobs = jobs
        self._fixed = fixed
        self._on_undone = on_undone
        self._in_table = in_table
        self._clock = clock
        self._events = events

    async def start(
        self, new: Address, caller: Caller, session: Session, *, lifetime: int, language: str
    ) -> SentChallenge:
        """Mail a code to a new address, or word that it is somebody else's: the answer is the same.

        Args:
            new: where to.
            caller: of the session (`Caller.for_address_change`).
            session: of whom is signed in.
            lifetime: seconds that the code lives.
            language: the code of the language of the mail.

        Raises:
            InvalidArgument: theirs is a test address; or whoever has the new one signs in
                elsewhere, so that no code moves an account there: its first login would be its
                owner's, into an account of somebody else, who could take it back.
            RateLimited: a budget of the address or the client is spent.
            Unavailable: the store or the queue cannot take it, or a rule cannot be asked.
        """
        await self.check_fixed(Address(session.email))
        if await self._logins.leads_elsewhere(domain_of(new)):
            raise InvalidArgument.of("email", _ELSEWHERE, "login_elsewhere")
        challenge = NewChallenge(
            address=new,
            kind="OTP",
            lifetime=lifetime,
            state=session.user_id,  # whose own reservation is not in their way
            language=language,
        )
        return await self._challenges.start(challenge, caller)

    async def check_fixed(self, address: Address) -> None:
        """Refuse an address that a fixed code opens: nobody leaves it (security rule 67).

        Whoever knows the code would have an account of their own by it, past its end, and where
        nobody else may sign up.

        Raises:
            InvalidArgument: it is a test address.
            StoreError: it cannot be known now.
        """
        if self._fixed is not None and await self._fixed.covers(address):
            raise InvalidArgument.of("email", _TEST, "test_address")

    async def is_taken(self, address: Address, user_id: str) -> bool:
        """Whether an address is somebody else's, or was until lately.

        Raises:
            UsersUnavailable, StoreError: it cannot be known now.
        """
        try:
            user = await self._users.find(address)
        except LoginDenied:
            return True
        if user is not None:
            return user.id != user_id
        return await self._repository.is_reserved(address, user_id=user_id, now=self._clock())

    async def may_change(self, user_id: str) -> bool:
        """Whether somebody is there, and can sign in: nobody else's address is changed.

        Raises:
            UsersUnavailable, StoreError: it cannot be known now.
        """
        return await self._users.load(user_id) is not None

    async def confirm(
        self,
        id: ChallengeId,
        code: str,
        caller: Caller,
        session: Session,
        *,
        holder: Caller,
        old: Address,
        next: str,
        language: str,
    ) -> LoginResult:
        """Check the code, change the address, and renew the session under it.

        All other sessions of the person end, and all logins that wait for a step; so does what was
        sent to the old address, which is nobody's any more.

        Args:
            id: of the challenge.
            code: as typed.
            caller: of the session, as it was at the start.
            session: of whom is signed in.
            holder: who gets the renewed session.
            old: the address that the person has now.
            next: where a browser goes afterwards.
            language: the code of the language of the mail to the old address.

        Raises:
            InvalidArgument: the address has become somebody else's meanwhile, or signs in elsewhere
                by now; or it is no code.
            RequestExpired: expired, used, another session's; or the old address is not theirs now.
            InvalidCode, TooManyAttempts, Unavailable: as `ChallengeVerifier.verify_code`.
            StepRequired, LoginDenied, LoginElsewhere: the address is changed, and a rule asks for
                more before the session goes on.
        """
        proof = await self._verifier.verify_code(id, code, caller)
        new = proof.subject
        if isinstance(new, EnrolledUser) or await self.is_taken(new, session.user_id):
            raise InvalidArgument.of("code", _TAKEN, "taken")
        if await self._logins.leads_elsewhere(domain_of(new)):
            raise InvalidArgument.of("code", _ELSEWHERE, "login_elsewhere")
        now = self._clock()
        change = AddressChange(
            id=secrets.token_bytes(CHANGE_ID_BYTES),
            user_id=session.user_id,
            old=old,
            new=new,
            changed_at=now,
            device=proof.device,
            language=language,
        )
        ticket = change.id.hex()
        record = self._records.writes(ticket, b"", ttl=UNDER_WAY)
        job = self._jobs.writes(CHANGED, change.id)
        then = Writes(puts=record.puts, jobs=job.jobs, refunds=proof.then.refunds)
        await spend(self._store, proof.takes, then, now=now)
        await self._make(change, caller, by="person")
        await self._signals.tell_user(session.user_id)
        await self._sessions.revoke_others(session.user_id, keep=session.id)
        await self._sessions.end_pending(session.user_id)
        fresh = replace(
            proof,
            takes=self._records.place(ticket),
            then=Writes(),
            may_create=False,
            refusal=RequestExpired(),
            next=next,
            answer={"email": new},
        )
        return await self._logins.step_up(fresh, holder, session)

    async def make(self, change: AddressChange, caller: Caller, *, by: str) -> None:
        """Make a change that was confirmed from the new address, outside of any session.

        All sessions of the person end, and the old address is told, by the job that was queued
        before.

        Args:
            change: which.
            caller: who has confirmed it.
            by: who has asked for it.

        Raises:
            InvalidArgument: the address has become somebody else's meanwhile.
            RequestExpired: the old address is not theirs any more; or they are disabled, or gone.
            Unavailable, StoreError: store or database cannot be asked.
        """
        job = self._jobs.writes(CHANGED, change.id)
        await self._store.write(job, now=change.changed_at, op=new_operation())
        await self._make(change, caller, by=by)
        await self._signals.tell_user(change.user_id)
        await self._sessions.revoke_all(change.user_id)

    async def _make(self, change: AddressChange, caller: Caller, *, by: str) -> None:
        audit = self._events.make(
            "person.address_changed",
            caller,
            user_id=change.user_id,
            address=change.new,
            by=by,
        )
        if not self._in_table:
            if not await self._repository.change(change, audit=audit):
                raise RequestExpired
            self._events.publish(audit)
            return
        await self._repository.add(change)
        if await self._is_void(change):  # undone since it began: the address is the owner's again
            await self._repository.forget(change.id)
            raise RequestExpired
        if not await self._users.change_email(change.user_id, change.new):
            await self._repository.forget(change.id)
            raise InvalidArgument.of("code", _TAKEN, "taken")
        # Not in the transaction of its change, which is the host's.
        self._events.record(
            "person.address_changed",
            caller,
            user_id=change.user_id,
            address=change.new,
            by=by,
        )

    # --- undo ----------------------------------------------------------------------------------

    async def find(self, handle: str) -> AddressChange | None:
        """Return the change that a handle undoes, or `None` if there is nothing to undo.

        Raises:
            StoreError: the database cannot be asked.
        """
        id = self._secrets.open(UNDO_PURPOSE, handle)
        change = await self._repository.find(id) if id is not None else None
        if change is None or not change.may_be_undone(self._clock()):
            return None
        # One that was under way as an earlier one was undone leads to where nobody should be.
        return None if await self._is_void(change) else change

    async def undo(self, handle: str, caller: Caller) -> AddressChange:
        """Give a person the address back that they had, once, and sign everybody out.

        Args:
            handle: of the link that the old address was sent.
            caller: who presses the button, signed in or not.

        Raises:
            RequestExpired: it is none of ours, too late, or undone already; or the account is gone.
            LoginDenied: the host's own table does not give the address back.
            Unavailable: the store or the database cannot be asked; it can be pressed again.
        """
        change = await self.find(handle)
        if change is None:
            raise RequestExpired
        now, op = self._clock(), new_operation()
        jobs = [self._jobs.writes(topic, change.id).jobs for topic in (UNDONE, WITHDRAWN)]
        await self._store.write(Writes(jobs=tuple(chain(*jobs))), now=now, op=op)
        audit = self._events.make(
            "person.address_undone",
            caller,
            user_id=change.user_id,
            address=change.old,
            by="person",
        )
        if self._in_table and not await self._users.change_email(change.user_id, change.old):
            raise LoginDenied(Text("The address cannot be given back. Ask whoever runs this site."))
        restores = not self._in_table
        if not await self._repository.undo(change.id, now=now, restores=restores, audit=audit):
            raise RequestExpired
        self._events.publish(audit)
        await self._signals.tell_user(change.user_id)
        await self._tell_features(change)
        await self._sessions.revoke_all(change.user_id)
        return change

    async def _is_void(self, change: AddressChange) -> bool:
        """Whether a change was still under way as an earlier one of the person was undone."""
        for earlier in await self._repository.list(change.user_id):
            if earlier.id == change.id:
                break
            if earlier.undone_at is not None and earlier.undone_at >= change.changed_at:
                return True
        return False

    async def _tell_features(self, change: AddressChange) -> None:
        for told in self._on_undone():
            await told(change.user_id, change.changed_at)

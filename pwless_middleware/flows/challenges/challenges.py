"""Challenges: started, sent again, and read back.

A start or a resend is one guarded write of the store: the budgets, the record and the job of the
mail, all of them or nothing. What the mail holds is derived in the worker
(`flows.challenges.mails`), and verified by `flows.challenges.challenge_verifier`.

A challenge has one key: the one that was current as its generation began. Code, link, every handle
and the record carry it. What comes under another key, an older one of the list too, is answered as
if there were no such challenge.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import field

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.challenges.challenge import (
    RESEND_WINDOW,
    SALT_BYTES,
    Challenge,
    ChallengeId,
    Kind,
    Template,
    attempt_of,
)
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Keyring, new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.organization import id_in
from pwless_middleware.core.storage.format_v1 import pack_challenge, pack_job, unpack_challenge
from pwless_middleware.core.storage.store_keys import challenge_key
from pwless_middleware.errors import RateLimited, RequestExpired
from pwless_middleware.flows.capabilities.bound_records import open_record
from pwless_middleware.flows.capabilities.feature_jobs import FeatureJobs
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.limits import new_challenge_id, scope_of
from pwless_middleware.flows.events.events import Events
from pwless_middleware.stores.base import Admission, Put, Store

MAIL = "mail"
"""The topic of our jobs."""


@dataclass(frozen=True, slots=True)
class SentChallenge:
    """A challenge that has just been sent, or sent again.

    Attributes:
        challenge: as it stands now.
        resend_after: whole seconds until the next resend would be admitted; 0 is at once.
    """

    challenge: Challenge
    resend_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChallenge:
    """What a caller wants of a new challenge; the fields are those of `Challenge`."""

    address: Address = field(repr=False)
    kind: Kind
    template: Template = "SIGNIN"
    lifetime: int
    next: str = "/"
    state: str | None = None
    link_uri: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    language: str = ""
    organization: str | None = None
    is_break_glass: bool = False


class Challenges:
    """Start challenges, send them again, and read them.

    Args:
        store, keyring: what it works with.
        rules: how challenges behave.
        jobs: makes the job of a challenge's mail.
        clock: gives unix seconds.
        events: records what happens.
    """

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        rules: CurrentRules,
        *,
        jobs: FeatureJobs,
        clock: Callable[[], int],
        events: Events,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._rules = rules
        self._jobs = jobs
        self._clock = clock
        self._events = events

    async def read(self, id: ChallengeId, *, key_id: str) -> Challenge | None:
        """Return a challenge, expired or not, or `None` if used, gone, or under another key."""
        return self._unpack(
            id, await self._store.read(challenge_key(id), now=self._clock()), key_id
        )

    async def start(self, new: NewChallenge, caller: Caller) -> SentChallenge:
        """Make a challenge and queue its mail: one round trip, the same for every address.

        Raises:
            RateLimited: a budget of the address or the client is spent; nothing was counted.
            Unavailable: the store or the queue is full or cannot be asked.
        """
        now = self._clock()
        challenge = Challenge(
            id=new_challenge_id(self._keyring, new.address),
            key_id=self._keyring.current,
            salt=secrets.token_bytes(SALT_BYTES),
            generation=0,
            address=new.address,
            kind=new.kind,
            template=new.template,
            caller=caller.name,
            asked_at=now,
            started_at=now,
            expires_at=now + new.lifetime,
            lifetime=new.lifetime,
            device=caller.device,
            next=new.next,
            state=new.state,
            link_uri=new.link_uri,
            variables=new.variables,
            language=new.language,
            organization=new.organization,
            is_break_glass=new.is_break_glass,
        )
        admission = await self._admit(challenge, caller, replaces=None, now=now)
        self._events.record(
            "send.requested",
            caller,
            attempt=attempt_of(challenge.id),
            organization=id_in(challenge.organization),
            address=challenge.address,
            details={"language": challenge.language} if challenge.language else None,
        )
        return SentChallenge(challenge, admission.wait)

    async def resend(self, id: ChallengeId, caller: Caller, language: str = "") -> SentChallenge:
        """Send a challenge again: the same secrets while it lives, new ones when it has expired.

        Args:
            id: of the challenge.
            caller: who asks.
            language: the code of the mail's from now on; empty leaves it.

        Raises:
            RequestExpired: used, unknown, another caller's, or past its 900 seconds.
            RateLimited: three resends are spent, or a budget is; nothing was counted.
            Unavailable: the store or the queue is full or cannot be asked.
        """
        if id not in caller.holds:
            raise self.refusal("unknown", caller, id)
        now = self._clock()
        value = await self._store.read(challenge_key(id), now=now)
        challenge = self.open(id, value, caller, key_id=caller.holds[id])
        ends = challenge.asked_at + RESEND_WINDOW
        if now >= ends:
            raise self.refusal("expired", caller, id, challenge)
        if not challenge.may_resend(now):
            self._events.record(
                "limit.reached",
                caller,
                attempt=attempt_of(id),
                organization=id_in(challenge.organization),
                address=challenge.address,
                reason="resend_by_challenge",
                wait=ends - now,
            )
            raise RateLimited(ends - now)
        again = challenge.with_resend(
            now=now,
            rotate=self._rules().rotate_on_resend,
            key_id=self._keyring.current,
            longest=self._rules().max_lifetime,
            language=language or challenge.language,
        )
        admission = await self._admit(again, caller, replaces=value, now=now)
        self._events.record(
            "resend.requested",
            caller,
            attempt=attempt_of(id),
            organization=id_in(challenge.organization),
            address=challenge.address,
            tries=again.resends,
        )
        wait = admission.wait if again.may_resend(now) else ends - now
        return SentChallenge(again, wait)

    def open(
        self, id: ChallengeId, value: bytes | None, caller: Caller, *, key_id: str
    ) -> Challenge:
        """Return the challenge of a record, expired or not.

        Args:
            id: which.
            value: its record as the store has it; `None` if it has none.
            caller: who asks; another one's challenge is as if it were not there.
            key_id: fingerprint of the key that sealed what leads to it.

        Raises:
            RequestExpired: used, gone, another caller's, or under another key.
        """
        challenge = self._unpack(id, value, key_id)
        if challenge is None or challenge.caller != caller.name:
            raise self.refusal("unknown", caller, id)
        return challenge

    def refusal(
        self,
        reason: str,
        caller: Caller,
        id: ChallengeId | None = None,
        challenge: Challenge | None = None,
    ) -> RequestExpired:
        """Return the refusal of a request, and record why; the caller hears only that it is.

        Args:
            reason: why.
            caller: whose request it is.
            id: of the challenge, as it was given; `None` for none.
            challenge: the one that was found; `None` for none.
        """
        wanted = None if challenge is None else challenge.organization
        self._events.record(
            "login.refused",
            caller,
            attempt=attempt_of(id) if id is not None else b"",
            organization=id_in(wanted),
            reason=reason,
        )
        return RequestExpired()

    def _unpack(self, id: ChallengeId, value: bytes | None, key_id: str) -> Challenge | None:
        place = challenge_key(id)
        record = open_record(self._keyring, "challenge", place, value, key_id=key_id)
        return None if record is None else unpack_challenge(id, record, key_id=key_id)

    async def _admit(
        self, challenge: Challenge, caller: Caller, *, replaces: bytes | None, now: int
    ) -> Admission:
        draws = self._rules().limits.for_send(challenge.id, caller, now=now)
        key, key_id = challenge_key(challenge.id), challenge.key_id
        record = self._keyring.bind("challenge", key, pack_challenge(challenge), key_id=key_id)
        job = self._jobs.payload(
            MAIL, pack_job(challenge), until=challenge.kept_until, key_id=key_id
        )
        admission = await self._store.admit(
            draws,
            Put(key, record, challenge.kept_until),
            job=job,
            replaces=replaces,
            now=now,
            op=new_operation(),
        )
        if admission.conflict:
            # Another tab has sent it again, or it was used, between our read and our write.
            raise RequestExpired if replaces is None else RateLimited(1)
        if admission.refused_by is not None and draws[admission.refused_by].since is not None:
            stranger = caller.as_stranger()
            return await self._admit(challenge, stranger, replaces=replaces, now=now)
        if admission.refused_by is not None:
            scope = scope_of(draws[admission.refused_by])
            self._events.record(
                "limit.reached",
                caller,
                attempt=attempt_of(challenge.id),
                organization=id_in(challenge.organization),
                address=challenge.address,
                reason=f"send_by_{scope}",
                wait=admission.wait,
            )
            raise RateLimited(admission.wait)
        return admission

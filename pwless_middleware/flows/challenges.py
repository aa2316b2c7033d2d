"""Challenges: started, sent again, and verified by the one verifier (security rule 2).

A code is verified in this order, always: count the attempt → load → expiry → purpose → compare in
constant time → take. Counting comes first and is atomic in the store, so that a thousand parallel
guesses get five answers. A link's MAC is checked first and not counted (128 bits need no cap), so
that it still works while codes are locked. The take is the door's (`flows.logins`): it happens in
the same write that begins the session.

A challenge has one key: the one that was current as its generation began. Code, link, every handle
and the record carry it. What comes under another key, an older one of the list too, is answered as
if there were no such challenge.
"""

from __future__ import annotations

import hmac
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pwless_middleware.core.address import Address, matches
from pwless_middleware.core.authentication import Authentication
from pwless_middleware.core.budget import Draw, Refund
from pwless_middleware.core.caller import Caller
from pwless_middleware.core.challenge import (
    RESEND_WINDOW,
    SALT_BYTES,
    Challenge,
    ChallengeId,
    Kind,
    Template,
    attempt_of,
)
from pwless_middleware.core.device_cookie import (
    NOBODY,
    Known,
    KnownAddress,
    add_known,
    find_known,
)
from pwless_middleware.core.format_v1 import pack_challenge, pack_job, unpack_challenge
from pwless_middleware.core.keyring import CodeStyle, Keyring, Link, new_operation
from pwless_middleware.core.pasted_text import code_in, link_token_in
from pwless_middleware.core.store_keys import TAG_BYTES, challenge_key, device_mark
from pwless_middleware.errors import (
    ApiError,
    InvalidArgument,
    InvalidCode,
    OtherBrowser,
    RateLimited,
    RequestExpired,
    TooManyAttempts,
    Unavailable,
    traceback_without_text,
)
from pwless_middleware.flows.bound_records import open_record
from pwless_middleware.flows.events import Events
from pwless_middleware.flows.feature_jobs import FeatureJobs
from pwless_middleware.flows.limits import EXACT_BYTES, Limits, new_challenge_id
from pwless_middleware.flows.proofs import Proof
from pwless_middleware.stores.base import Admission, Attempt, Put, Store, Writes
from pwless_middleware.text import Text

logger = logging.getLogger("pwless.challenges")

CODE_METHOD = "email_code"
LINK_METHOD = "email_link"
FACTOR = "mailbox"
"""What a code and a link both prove: that somebody reads the mail of an address."""
MAIL = "mail"
"""The topic of our jobs."""


AllowRule = Callable[[str], bool | Awaitable[bool]]
"""A host's own rule of who is served: given the canonical address, it says whether."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeRules:
    """Set how challenges behave; `EmailLogin` has the meaning, range and default of each."""

    lifetime: int
    max_lifetime: int
    code: CodeStyle
    same_browser: bool
    rotate_on_resend: bool
    allow: tuple[str, ...] | AllowRule
    signup: bool


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


class Challenges:
    """Keep challenges.

    Args:
        store, keyring, limits: what it works with.
        rules: how challenges behave.
        jobs: makes the job of a challenge's mail.
        clock: gives unix seconds.
        events: records what happens.
    """

    def __init__(
        self,
        store: Store,
        keyring: Keyring,
        limits: Limits,
        rules: ChallengeRules,
        *,
        jobs: FeatureJobs,
        clock: Callable[[], int],
        events: Events,
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._limits = limits
        self._rules = rules
        self._jobs = jobs
        self._clock = clock
        self._events = events

    async def serves(self, address: Address) -> bool:
        """Whether an address is on the allow list. Only worker and verifier may ask.

        Raises:
            Unavailable: the host's own rule failed.
        """
        allow = self._rules.allow
        if isinstance(allow, tuple):
            return matches(address, allow)
        try:
            answer = allow(address)
            return bool(await answer if isinstance(answer, Awaitable) else answer)
        except Exception as exc:
            logger.error("the rule allow= failed:\n%s", traceback_without_text(exc))
            raise Unavailable from exc

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
        )
        admission = await self._admit(challenge, caller, replaces=None, now=now)
        self._events.record(
            "send.requested", caller, attempt=attempt_of(challenge.id), address=challenge.address
        )
        return SentChallenge(challenge, admission.wait)

    async def resend(self, id: ChallengeId, caller: Caller) -> SentChallenge:
        """Send a challenge again: the same secrets while it lives, new ones when it has expired.

        Raises:
            RequestExpired: used, unknown, another caller's, or past its 900 seconds.
            RateLimited: three resends are spent, or a budget is; nothing was counted.
            Unavailable: the store or the queue is full or cannot be asked.
        """
        if id not in caller.holds:
            raise self._refusal("unknown", caller, id)
        now = self._clock()
        value = await self._store.read(challenge_key(id), now=now)
        challenge = self._theirs(id, value, caller, caller.holds[id])
        ends = challenge.asked_at + RESEND_WINDOW
        if now >= ends:
            raise self._refusal("expired", caller, id)
        if not challenge.may_resend(now):
            self._events.record(
                "limit.reached",
                caller,
                attempt=attempt_of(id),
                address=challenge.address,
                reason="resend_by_challenge",
                wait=ends - now,
            )
            raise RateLimited(ends - now)
        again = challenge.with_resend(
            now=now,
            rotate=self._rules.rotate_on_resend,
            key_id=self._keyring.current,
            longest=self._rules.max_lifetime,
        )
        admission = await self._admit(again, caller, replaces=value, now=now)
        self._events.record(
            "resend.requested",
            caller,
            attempt=attempt_of(id),
            address=challenge.address,
            tries=again.resends,
        )
        wait = admission.wait if again.may_resend(now) else ends - now
        return SentChallenge(again, wait)

    async def verify_code(self, id: ChallengeId, text: str, caller: Caller) -> Proof:
        """Check a code that a caller typed.

        Raises:
            InvalidArgument: it does not look like a code; not counted.
            InvalidCode: wrong, or there is nobody to serve; says how many tries are left.
            TooManyAttempts: a budget of the challenge, the address or the client is spent.
            RequestExpired: expired, used, unknown, or another caller's.
            Unavailable: the store could not be asked.
        """
        code = code_in(text, self._rules.code)
        if code is None:
            if self._rules.code == "standard":
                text = Text("Type the 6 digits from the email.")
                raise InvalidArgument.of("code", text, "6 digits")
            text = Text("Type the 8 letters from the email.")
            raise InvalidArgument.of("code", text, "8 letters")
        if id not in caller.holds:
            raise self._refusal("unknown", caller, id)
        now = self._clock()
        draws, attempt = await self._attempt(id, caller, now)
        if attempt.refused_by is not None:
            scope = "challenge" if attempt.refused_by == 0 else _scope_of(draws[attempt.refused_by])
            self._events.record(
                "limit.reached",
                caller,
                attempt=attempt_of(id),
                reason=f"try_by_{scope}",
                wait=attempt.wait,
            )
            raise TooManyAttempts(attempt.wait)
        challenge = self._theirs(id, attempt.value, caller, caller.holds[id])
        if not challenge.is_live(now):
            raise self._refusal("expired", caller, id)
        expected = self._keyring.code(challenge, self._rules.code)
        wrong = InvalidCode(attempt.left)
        matched = hmac.compare_digest(expected, code)
        if not (matched and challenge.kind != "LINK" and await self.serves(challenge.address)):
            self._events.record(
                "code.wrong",
                caller,
                attempt=attempt_of(id),
                address=challenge.address,
                tries_left=attempt.left,
            )
            raise wrong
        refunds = Refund.of_all(draws[1:], now)
        return self._proof(challenge, CODE_METHOD, now, refunds, refusal=wrong)

    def open_link(self, text: str) -> Link | None:
        """Return what the link token in a text holds, or `None` if there is none of ours."""
        token = link_token_in(text)
        return None if token is None else self._keyring.open_link(token)

    async def verify_link(self, token: str, caller: Caller) -> Proof:
        """Check a link token that a caller presents, alone or in a text around it.

        Raises:
            OtherBrowser: the caller does not hold the link's challenge; nothing was spent.
            RequestExpired: not ours, expired, used, of an old generation, or another caller's.
            Unavailable: the store could not be asked.
        """
        link = self.open_link(token)
        if link is None:
            raise self._refusal("unknown", caller)
        if self._rules.same_browser and link.id not in caller.holds:
            self.note_elsewhere(link, caller)
            raise OtherBrowser
        now = self._clock()
        value = await self._store.read(challenge_key(link.id), now=now)
        key_id = caller.holds.get(link.id, link.key_id)
        challenge = self._theirs(link.id, value, caller, key_id)
        if not challenge.is_live(now):
            raise self._refusal("expired", caller, link.id)
        if (
            not self._keyring.is_link_of(link, challenge)
            or challenge.kind == "OTP"
            or not await self.serves(challenge.address)
        ):
            raise self._refusal("unknown", caller, link.id)
        return self._proof(challenge, LINK_METHOD, now, (), refusal=RequestExpired())

    def note_elsewhere(self, link: Link, caller: Caller, *, by_page: bool = True) -> None:
        """Note that a link was opened where its challenge is not held; nothing is looked up.

        Args:
            link: which.
            caller: who opened it.
            by_page: whether as a page that somebody sees.
        """
        kind = "link.opened_elsewhere" if by_page else "link.scanned"
        self._events.record(kind, caller, attempt=attempt_of(link.id))

    async def is_locked(self, challenge: Challenge) -> bool:
        """Whether a browser without a device cookie can type no code for this challenge now.

        Raises:
            Unavailable: the store could not be asked.
        """
        draws, key = self._limits.lock_on_tries(challenge.id), challenge_key(challenge.id)
        now, op = self._clock(), new_operation()
        return (await self._store.attempt(draws, key, now=now, op=op)).refused_by is not None

    async def grant(self, token: str, caller: Caller) -> Known | None:
        """Return a device cookie with the small budget that a live challenge's email gives.

        Whoever has the email need not wait for strangers who have used up what the address has.
        Spends nothing and signs nobody in. Asked again, it is the same budget, so that one email
        gives five tries in its 24 hours, however often its link is pressed.

        Args:
            token: of the link; one of an email with a code alone counts only in the browser that
                asked for it, and while no code can be typed.
            caller: a browser.

        Returns:
            What the device cookie says then; unchanged where the browser has signed in as this
            address and has its own budget. `None` if the email gives nothing.

        Raises:
            Unavailable: the store could not be asked.
        """
        link = self.open_link(token)
        challenge = await self.read(link.id, key_id=link.key_id) if link is not None else None
        if (
            link is None
            or challenge is None
            or challenge.caller != caller.name
            or not challenge.is_live(self._clock())
            or not self._keyring.is_link_of(link, challenge)
        ):
            return None
        if challenge.kind == "OTP" and (
            link.id not in caller.holds or not await self.is_locked(challenge)
        ):
            return None
        exact = link.id[TAG_BYTES : TAG_BYTES + EXACT_BYTES]
        row = find_known(caller.known_to, exact)
        if row is not None and row.owner != NOBODY and not await self._is_revoked(row):
            return caller.known_to
        budget = int.from_bytes(link.id[-4:], "big")
        return add_known(caller.known_to, KnownAddress(exact, NOBODY, challenge.asked_at, budget))

    async def _is_revoked(self, row: KnownAddress) -> bool:
        mark = await self._store.read(device_mark(row.owner), now=self._clock())
        return mark is not None and int.from_bytes(mark, "big") >= row.issued_at

    async def _attempt(
        self, id: ChallengeId, caller: Caller, now: int
    ) -> tuple[tuple[Draw, ...], Attempt]:
        draws = self._limits.for_try(id, caller, now=now)
        attempt = await self._store.attempt(draws, challenge_key(id), now=now, op=new_operation())
        if attempt.refused_by is not None and draws[attempt.refused_by].since is not None:
            # All sessions of its user were revoked after this device cookie was given.
            return await self._attempt(id, caller.as_stranger(), now)
        return draws, attempt

    def _proof(
        self,
        challenge: Challenge,
        method: str,
        now: int,
        refunds: tuple[Refund, ...],
        *,
        refusal: ApiError,
    ) -> Proof:
        return Proof(
            subject=challenge.address,
            authentication=Authentication(method, now, (FACTOR,)),
            taken=challenge_key(challenge.id),
            then=Writes(refunds=refunds),
            may_create=self._rules.signup,
            refusal=refusal,
            next=challenge.next,
            device=challenge.device,
            answer=_answer(challenge),
            attempt=attempt_of(challenge.id),
        )

    def _theirs(
        self, id: ChallengeId, value: bytes | None, caller: Caller, key_id: str
    ) -> Challenge:
        challenge = self._unpack(id, value, key_id)
        if challenge is None or challenge.caller != caller.name:
            raise self._refusal("unknown", caller, id)
        return challenge

    def _unpack(self, id: ChallengeId, value: bytes | None, key_id: str) -> Challenge | None:
        place = challenge_key(id)
        record = open_record(self._keyring, "challenge", place, value, key_id=key_id)
        return None if record is None else unpack_challenge(id, record, key_id=key_id)

    async def _admit(
        self, challenge: Challenge, caller: Caller, *, replaces: bytes | None, now: int
    ) -> Admission:
        draws = self._limits.for_send(challenge.id, caller, now=now)
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
            scope = _scope_of(draws[admission.refused_by])
            self._events.record(
                "limit.reached",
                caller,
                attempt=attempt_of(challenge.id),
                address=challenge.address,
                reason=f"send_by_{scope}",
                wait=admission.wait,
            )
            raise RateLimited(admission.wait)
        return admission

    def _refusal(
        self, reason: str, caller: Caller, id: ChallengeId | None = None
    ) -> RequestExpired:
        """Record why a request is refused, of which the caller hears only that it is."""
        attempt = attempt_of(id) if id is not None else b""
        self._events.record("login.refused", caller, attempt=attempt, reason=reason)
        return RequestExpired()


def _scope_of(draw: Draw) -> str:
    """Return whose limit a budget is."""
    return {"{": "address", "c": "client"}.get(draw.key[0], "overall")


def _answer(challenge: Challenge) -> dict[str, str]:
    """Return what `verify` tells besides the session: what `send` was given."""
    state = {} if challenge.state is None else {"state": challenge.state}
    return {
        "email": challenge.address,
        **state,
        "template": challenge.template,
        "passwordless_type": challenge.kind,
    }

"""The one verifier of codes and links (security rule 2).

A code is verified in this order, always: count the attempt → load → expiry → purpose → compare in
constant time → take. Counting comes first and is atomic in the store, so that a thousand parallel
guesses get five answers. A link's MAC is checked first and not counted (128 bits need no cap), so
that it still works while codes are locked. The take is the door's (`flows.logins`): it happens in
the same write that begins the session.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from pwless_middleware.core.challenges.budget import Draw, Refund
from pwless_middleware.core.challenges.challenge import Challenge, ChallengeId, attempt_of
from pwless_middleware.core.challenges.pasted_text import code_in, link_token_in
from pwless_middleware.core.keys.keyring import Keyring, Link, new_operation
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.organization import id_in
from pwless_middleware.core.storage.store_keys import challenge_key
from pwless_middleware.errors import (
    ApiError,
    InvalidArgument,
    InvalidCode,
    OtherBrowser,
    RequestExpired,
    TooManyAttempts,
)
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenges import Challenges
from pwless_middleware.flows.challenges.fixed_codes import FixedCodes
from pwless_middleware.flows.challenges.limits import scope_of
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.logins.proofs import Proof
from pwless_middleware.stores.base import Attempt, Store, Writes
from pwless_middleware.text import Text

CODE_METHOD = "email_code"
LINK_METHOD = "email_link"
FACTOR = "mailbox"
"""What a code and a link both prove: that somebody reads the mail of an address."""


class ChallengeVerifier:
    """Verify codes and links; a right one gives a proof for the door.

    Args:
        challenges, store, keyring: what it works with.
        rules: how challenges behave.
        clock: gives unix seconds.
        events: records what happens.
        fixed: knows the test addresses; `None` where there are none.
    """

    def __init__(
        self,
        challenges: Challenges,
        store: Store,
        keyring: Keyring,
        rules: CurrentRules,
        *,
        clock: Callable[[], int],
        events: Events,
        fixed: FixedCodes | None = None,
    ) -> None:
        self._fixed = fixed
        self._challenges = challenges
        self._store = store
        self._keyring = keyring
        self._rules = rules
        self._clock = clock
        self._events = events

    async def verify_code(self, id: ChallengeId, text: str, caller: Caller) -> Proof:
        """Check a code that a caller typed.

        Raises:
            InvalidArgument: it does not look like a code; not counted.
            InvalidCode: wrong, or there is nobody to serve; says how many tries are left.
            TooManyAttempts: a budget of the challenge, the address or the client is spent.
            RequestExpired: expired, used, unknown, or another caller's.
            Unavailable: the store could not be asked.
        """
        code = code_in(text, self._rules().code)
        if code is None:
            if self._rules().code == "standard":
                text = Text("Type the 6 digits from the email.")
                raise InvalidArgument.of("code", text, "6 digits")
            text = Text("Type the 8 letters from the email.")
            raise InvalidArgument.of("code", text, "8 letters")
        if id not in caller.holds:
            raise self._challenges.refusal("unknown", caller, id)
        now = self._clock()
        draws, attempt = await self._attempt(id, caller, now)
        if attempt.refused_by is not None:
            scope = "challenge" if attempt.refused_by == 0 else scope_of(draws[attempt.refused_by])
            self._events.record(
                "limit.reached",
                caller,
                attempt=attempt_of(id),
                reason=f"try_by_{scope}",
                wait=attempt.wait,
            )
            raise TooManyAttempts(attempt.wait)
        challenge = self._challenges.open(id, attempt.value, caller, key_id=caller.holds[id])
        if not challenge.is_live(now):
            raise self._challenges.refusal("expired", caller, id, challenge)
        fixed = None if self._fixed is None else await self._fixed.find(challenge, caller)
        expected = self._keyring.code(challenge, self._rules().code)
        if fixed is not None:
            expected = fixed.code or ""
        wrong = InvalidCode(attempt.left)
        matched = hmac.compare_digest(expected, code)
        if not (
            matched and challenge.kind != "LINK" and await self._rules().serves(challenge.address)
        ):
            self._events.record(
                "code.wrong",
                caller,
                attempt=attempt_of(id),
                organization=id_in(challenge.organization),
                address=challenge.address,
                tries_left=attempt.left,
            )
            raise wrong
        refunds = Refund.of_all(draws[1:], now)
        if self._fixed is not None and fixed is not None:
            await self._fixed.note_use(challenge, caller)
        return self._proof(
            challenge, CODE_METHOD, now, refunds, refusal=wrong, is_test=fixed is not None
        )

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
            raise self._challenges.refusal("unknown", caller)
        if self._rules().same_browser and link.id not in caller.holds:
            self.note_elsewhere(link, caller)
            raise OtherBrowser
        now = self._clock()
        value = await self._store.read(challenge_key(link.id), now=now)
        key_id = caller.holds.get(link.id, link.key_id)
        challenge = self._challenges.open(link.id, value, caller, key_id=key_id)
        if not challenge.is_live(now):
            raise self._challenges.refusal("expired", caller, link.id, challenge)
        fixed = None if self._fixed is None else await self._fixed.find(challenge, caller)
        if (
            not self._keyring.is_link_of(link, challenge)
            or challenge.kind == "OTP"
            or (fixed is not None and fixed.code is None)
            or not await self._rules().serves(challenge.address)
        ):
            raise self._challenges.refusal("unknown", caller, link.id, challenge)
        if self._fixed is not None and fixed is not None:
            await self._fixed.note_use(challenge, caller)
        refusal = RequestExpired()
        return self._proof(
            challenge, LINK_METHOD, now, (), refusal=refusal, is_test=fixed is not None
        )

    async def find_link_token(self, text: str, caller: Caller) -> str:
        """Return a text, or, if it holds a test address's link, the token that this stands for."""
        found = None if self._fixed is None else await self._fixed.find_link_token(text, caller)
        return text if found is None else found

    def note_elsewhere(self, link: Link, caller: Caller, *, by_page: bool = True) -> None:
        """Note that a link was opened where its challenge is not held; nothing is looked up.

        Args:
            link: which.
            caller: who opened it.
            by_page: whether as a page that somebody sees.
        """
        kind = "link.opened_elsewhere" if by_page else "link.scanned"
        self._events.record(kind, caller, attempt=attempt_of(link.id))

    async def _attempt(
        self, id: ChallengeId, caller: Caller, now: int
    ) -> tuple[tuple[Draw, ...], Attempt]:
        draws = self._rules().limits.for_try(id, caller, now=now)
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
        is_test: bool,
    ) -> Proof:
        return Proof(
            subject=challenge.address,
            authentication=Authentication(method, now, (FACTOR,)),
            takes=challenge_key(challenge.id),
            then=Writes(refunds=refunds),
            may_create=is_test or self._rules().signup,
            refusal=refusal,
            next=challenge.next,
            device=challenge.device,
            organization=challenge.organization,
            answer=_answer(challenge),
            attempt=attempt_of(challenge.id),
            holds=self._fixed.holds(challenge) if is_test and self._fixed is not None else None,
        )


def _answer(challenge: Challenge) -> dict[str, str]:
    """Return what `verify` tells besides the session: what `send` was given."""
    state = {} if challenge.state is None else {"state": challenge.state}
    return {
        "email": challenge.address,
        **state,
        "template": challenge.template,
        "passwordless_type": challenge.kind,
    }

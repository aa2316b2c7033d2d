"""Ceremonies: a WebAuthn challenge, for one purpose, of one holder, answered at most once.

    options asked for ──▶ a sealed handle; nothing is stored (security rule 35)
    answered ──▶ its mark is put into the store, if absent ──▶ only then anything is verified

The handle, `ceremony_id` on the wire, holds the challenge itself: who asks gets both, and who
answers brings the handle back, sealed under a key that only this feature has. So what a client
sends is never what is expected (security rule 30), and a login page that is opened a thousand times
writes nothing anywhere. The mark is what makes it single: of any number of parallel answers to one
challenge, exactly one is verified, be it right or wrong.

What a handle holds, in bytes: kind 1, end 4, challenge 32, digest of its holder 16, user handle 32
or none.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import field
from struct import Struct
from typing import Final, Literal, get_args

from pwless_middleware.core.challenges.budget import Limit, Refund
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event import Recorder
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.session import Session
from pwless_middleware.errors import RateLimited, RequestExpired, TooManyAttempts
from pwless_middleware.features.passkeys.ceremonies.options_budget import OptionsBudget
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.challenges.limits import client_draws
from pwless_middleware.stores.base import Store, Writes
from pwless_middleware.text import Text

Kind = Literal["login", "create", "conditional_create", "step_up", "step", "step_enrollment"]
"""What a challenge is for; it serves nothing else."""

LIFETIME: Final = 300
"""Seconds that a challenge lives (security rule 30; WebAuthn Level 3 §13.4.3 asks for 16 random
bytes at least, and §5.4 recommends 300 to 600 seconds)."""
CHALLENGE_BYTES: Final = 32
TRIES: Final = (30, 600)
"""Tries of one client, and in how many seconds; as wrong codes (security numbers)."""
_SKEW: Final = 60
"""Seconds that a mark outlives its challenge: the clock of another process may be behind."""
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_HEAD: Final = Struct(f">BI{CHALLENGE_BYTES}s16s")
_HANDLE_BYTES: Final = 32
_PURPOSE: Final = "ceremony"


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A challenge.

    Attributes:
        kind: what it is for.
        challenge: 32 random bytes.
        user_handle: of the person for whom a passkey is made; empty else.
        expires_at: unix seconds.
        then: what is written with a login that it has proven: the try is given back.
    """

    kind: Kind
    challenge: bytes = field(repr=False)
    user_handle: bytes = field(repr=False)
    expires_at: int
    then: Writes = field(default_factory=Writes, repr=False)

    @property
    def attempt(self) -> bytes:
        """What names it in events: a part of the challenge, which is of no use by then."""
        return self.challenge[:8]


def held_by_browser(nonce: bytes) -> str:
    """Name a browser, by the random bytes of its passkey cookie."""
    return f"browser:{nonce.hex()}"


def held_by_server(caller: Caller) -> str:
    """Name a server, by its key's name; the host's own code has the empty one."""
    return caller.name


def held_by_session(session: Session) -> str:
    """Name a session and its user. A fresh proof gives the session a new id, not another name."""
    return f"session:{session.first_id}:{session.user_id}"


class Ceremonies:
    """Begin ceremonies, and spend them.

    Args:
        secrets: seals the handles.
        records: keep the marks.
        store: where the marks stand.
        realm: names the budgets of clients.
        clock: gives unix seconds.
        record: records why a challenge is refused.
        budget: counts who asks; `None` makes one.
    """

    def __init__(
        self,
        secrets: FeatureSecrets,
        records: Records,
        store: Store,
        *,
        realm: str,
        clock: Callable[[], int],
        record: Recorder,
        budget: OptionsBudget | None = None,
    ) -> None:
        self._secrets = secrets
        self._records = records
        self._store = store
        self._realm = realm
        self._clock = clock
        self._record = record
        self._budget = budget or OptionsBudget()

    def begin(
        self, kind: Kind, holder: str, caller: Caller, *, user_handle: bytes = b""
    ) -> tuple[str, Ceremony]:
        """Make a challenge, and the handle by which it is answered. Nothing is stored.

        Args:
            kind: what it is for.
            holder: who alone may answer, of `held_by_browser` and the like.
            caller: who asks, for the budget.
            user_handle: 32 bytes, where a passkey is to be made; empty else.

        Raises:
            RateLimited: the client asks too often.
            Unavailable: too many clients ask.
        """
        now = self._clock()
        try:
            self._budget.draw(caller.client, now=now)
        except RateLimited as error:
            wait = error.retry_after
            self._record("limit.reached", caller, reason="options_by_client", wait=wait)
            raise
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        ceremony = Ceremony(kind, challenge, user_handle, now + LIFETIME)
        head = _HEAD.pack(_KINDS.index(kind), ceremony.expires_at, challenge, _name(holder))
        return self._secrets.seal(_PURPOSE, head + user_handle), ceremony

    async def spend(
        self,
        ceremony_id: str,
        kinds: tuple[Kind, ...],
        holder: str,
        caller: Caller,
        *,
        counts: bool = True,
    ) -> Ceremony:
        """Spend a challenge, before anything of the answer is verified.

        What is not ours, over, for something else or another's is refused without asking the store.

        Args:
            ceremony_id: the handle, as it came.
            kinds: what is answered; one of them it must be.
            holder: who answers.
            caller: who answers, for the budget.
            counts: whether the try is counted here; false where a step counts it.

        Raises:
            RequestExpired: unknown, over, used, for something else, or another's: one answer.
            TooManyAttempts: the client's tries are spent.
            Unavailable: the store cannot be asked.
        """
        now = self._clock()
        ceremony, its_holder = self._open(ceremony_id, caller)
        if ceremony.kind not in kinds:
            raise self._refuse("other_ceremony", ceremony, caller)
        if its_holder != _name(holder):
            raise self._refuse("other_holder", ceremony, caller)
        if now >= ceremony.expires_at:
            raise self._refuse("expired", ceremony, caller)
        draws = client_draws(self._realm, caller.client, "p", (Limit(*TRIES),)) if counts else ()
        ttl = ceremony.expires_at - now + _SKEW
        (mark,) = self._records.writes(b64(ceremony.challenge), b"", ttl=ttl).puts
        done = await self._store.admit(
            draws, mark, job=None, replaces=None, now=now, op=new_operation()
        )
        if done.refused_by is not None:
            self._record("limit.reached", caller, reason="try_by_client", wait=done.wait)
            raise TooManyAttempts(done.wait, _TOO_MANY)
        if not done.ok:
            raise self._refuse("used", ceremony, caller)
        refunds = Refund.of_all(draws, now)
        return Ceremony(
            ceremony.kind,
            ceremony.challenge,
            ceremony.user_handle,
            ceremony.expires_at,
            Writes(refunds=refunds),
        )

    async def give_back(self, ceremony: Ceremony) -> None:
        """Give back the try of a right answer with which nothing else is written."""
        if ceremony.then.refunds:
            await self._store.write(ceremony.then, now=self._clock(), op=new_operation())

    def _open(self, ceremony_id: str, caller: Caller) -> tuple[Ceremony, bytes]:
        opened = self._secrets.open(_PURPOSE, ceremony_id)
        if opened is None or len(opened) not in (_HEAD.size, _HEAD.size + _HANDLE_BYTES):
            self._record("passkey.refused", caller, reason="unknown_ceremony")
            raise RequestExpired
        kind, expires_at, challenge, holder = _HEAD.unpack_from(opened)
        return Ceremony(_KINDS[kind], challenge, opened[_HEAD.size :], expires_at), holder

    def _refuse(self, reason: str, ceremony: Ceremony, caller: Caller) -> RequestExpired:
        self._record("passkey.refused", caller, attempt=ceremony.attempt, reason=reason)
        return RequestExpired()


def _name(holder: str) -> bytes:
    return digest("ceremony-holder", holder)


_TOO_MANY = Text("Too many tries with passkeys. Wait a little, or sign in another way.")

"""Logins that have begun here and go on at a provider: what `state` and `RelayState` hold.

    begun    ──▶ a sealed handle goes along with the browser; nothing is stored
    answered ──▶ opened: ours, in time, of this connection, of this browser
             ──▶ its mark is put into the store, if absent, and the try is counted
             ──▶ only then anything is verified

The handle is sealed under a key that only this feature has (security rule 51), so that a start that
is opened a thousand times writes nothing anywhere, and of any number of answers to one login one is
looked at. What else must be known to nobody before the answer, `nonce`, PKCE's verifier and the id
of a SAML request, is computed from its random part under purposes of their own.

What a handle holds, in bytes: kind 1, end 4, random part 16, digest of its holder 8, digest of the
connection 8. As text it has 71 characters; a `RelayState` may have 80 (SAML 2.0 Bindings section
3.4.3).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import field
from struct import Struct
from typing import Final, Literal, get_args

from pwless_middleware.core.challenges.budget import Limit, Refund
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import TooManyAttempts
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.challenges.limits import client_draws
from pwless_middleware.stores.base import Store, Writes
from pwless_middleware.text import Text

Kind = Literal["login", "step_up", "test"]
"""What an answer is for: a session, a fresh proof of a live one, a report to an administrator."""

LIFETIME: Final = 900
"""Seconds that somebody has to sign in at the provider, perhaps with a second factor there."""
TRIES: Final = (60, 600)
"""Answers of one client that come to nothing, and in how many seconds. One that signs somebody in
gives its own back, so that a whole company may come from one network at nine. Each may cost a
request to a provider, or the verification of a signature."""
PLACES: Final = (200, 600)
"""Places of one client that are kept in the store, and in how many seconds: those of more than
1,500 characters, of dashboards whose whole state stands in the query."""
_SKEW: Final = 60
"""Seconds that a mark outlives its login: the clock of another process may be behind."""
_RANDOM_BYTES: Final = 16
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_FORM: Final = Struct(f">BI{_RANDOM_BYTES}s8s8s")
_PURPOSE: Final = "state"


@dataclass(frozen=True, slots=True)
class LoginState:
    """A login that has begun.

    Attributes:
        kind: what its answer is for.
        random: 16 random bytes, its own.
        expires_at: unix seconds.
        holder: names who alone may bring the answer.
    """

    kind: Kind
    random: bytes = field(repr=False)
    expires_at: int
    holder: bytes = field(repr=False)

    @property
    def id(self) -> bytes:
        """What names it in events and in the browser's cookie; nothing can be done with it."""
        return self.random[:8]

    @property
    def begun_at(self) -> int:
        """Unix seconds."""
        return self.expires_at - LIFETIME


class LoginStates:
    """Begin logins at a provider, and take what comes back.

    Args:
        secrets: seals the handles.
        records: keep the marks of what was answered.
        store: where the marks stand.
        realm: names the budgets of clients.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        secrets: FeatureSecrets,
        records: Records,
        store: Store,
        *,
        realm: str,
        clock: Callable[[], int],
    ) -> None:
        self._secrets = secrets
        self._records = records
        self._store = store
        self._realm = realm
        self._clock = clock

    def begin(self, kind: Kind, holder: str, connection: str) -> tuple[str, LoginState]:
        """Return the handle of a new login, and the login.

        Args:
            kind: what its answer is for.
            holder: who alone may bring the answer.
            connection: the id of the connection that is asked.
        """
        random = secrets.token_bytes(_RANDOM_BYTES)
        state = LoginState(kind, random, self._clock() + LIFETIME, _name("holder", holder))
        payload = _FORM.pack(
            _KINDS.index(kind),
            state.expires_at,
            random,
            state.holder,
            _name("connection", connection),
        )
        return self._secrets.seal(_PURPOSE, payload), state

    def open(self, handle: str, connection: str) -> LoginState:
        """Return the login of a handle; whose browser it is, and that it is new, is not known yet.

        Args:
            handle: as it came.
            connection: whose answer it came with.

        Raises:
            SSOFault: it is not ours, too old, or of another connection.
        """
        if not handle:
            raise SSOFault("state_missing")
        opened = self._secrets.open(_PURPOSE, handle)
        if opened is None or len(opened) != _FORM.size:
            raise SSOFault("state_unknown")
        kind, expires_at, random, holder, asked = _FORM.unpack(opened)
        if asked != _name("connection", connection):
            raise SSOFault("other_connection")
        if self._clock() >= expires_at:
            raise SSOFault("state_expired")
        return LoginState(_KINDS[kind], random, expires_at, holder)

    def check_holder(self, state: LoginState, holder: str | None) -> None:
        """Refuse another browser than the one that has begun.

        Args:
            state: the login.
            holder: who brings the answer; `None` for a browser that nothing was begun in.

        Raises:
            SSOFault: it is another one.
        """
        if holder is None or _name("holder", holder) != state.holder:
            raise SSOFault("other_browser")

    async def spend(self, state: LoginState, caller: Caller) -> Writes:
        """Spend a login: it is answered once, before anything of the answer is verified.

        Args:
            state: the login.
            caller: who brings the answer, for the budget.

        Returns:
            What gives the try back, to be written with what the answer proves.

        Raises:
            SSOFault: it was answered before.
            TooManyAttempts: the client's tries are spent.
            Unavailable: the store cannot be asked.
        """
        now = self._clock()
        draws = client_draws(self._realm, caller.client, "o", (Limit(*TRIES),))
        ttl = max(1, state.expires_at - now) + _SKEW
        (mark,) = self._records.writes(b64(state.random), b"", ttl=ttl).puts
        done = await self._store.admit(
            draws, mark, job=None, replaces=None, now=now, op=new_operation()
        )
        if done.refused_by is not None:
            raise TooManyAttempts(done.wait, _TOO_MANY)
        if not done.ok:
            raise SSOFault("state_used")
        return Writes(refunds=Refund.of_all(draws, now))

    async def keep_place(self, state: LoginState, next: str, caller: Caller) -> bool:
        """Keep where a login leads, if a cookie has no room for it; false where that is too much.

        Args:
            state: the login.
            next: where it leads; already checked.
            caller: who begins it, for the budget.

        Raises:
            Unavailable: the store cannot be asked.
        """
        now = self._clock()
        draws = client_draws(self._realm, caller.client, "k", (Limit(*PLACES),))
        (put,) = self._records.writes(_place(state), next.encode(), ttl=LIFETIME).puts
        done = await self._store.admit(
            draws, put, job=None, replaces=None, now=now, op=new_operation()
        )
        return done.ok

    async def find_place(self, state: LoginState) -> str:
        """Return where a login leads, that `keep_place` has kept; else the start page.

        Raises:
            Unavailable: the store cannot be asked.
        """
        record = await self._records.read(_place(state))
        return "/" if record is None else record.value.decode()

    def derive(self, purpose: Literal["nonce", "verifier", "request"], state: LoginState) -> str:
        """Return a secret of a login: 43 characters of base64url, which only we can compute.

        That is what PKCE asks of a verifier at least (RFC 7636 section 4.1).

        Args:
            purpose: which of its secrets.
            state: the login.
        """
        return self._secrets.seal(purpose, state.random)


def _place(state: LoginState) -> str:
    return f"place {b64(state.random)}"


def _name(what: str, text: str) -> bytes:
    """Return what stands for a holder or connection: inside of a handle that nobody can forge."""
    return digest(f"sso-{what}", text)[:8]


_TOO_MANY = Text("Too many tries to sign in. Wait a little, and try again.")

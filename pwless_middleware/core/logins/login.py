"""What a login is made of: who proved what, which steps are asked for, and what waits for one.

Every login method ends in an `Authentication`. A rule may ask for a `Step`; until it is done the
login is *pending*: a record of its own, under an id of its own, and not a session anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Authentication, Strength, strength_of
from pwless_middleware.core.people.user import UserId
from pwless_middleware.errors import ConfigError

PENDING_LIFETIME = 600
"""Seconds that a pending login lives (security rule 20)."""
STEP_TRIES = 5
"""Tries at the steps of one login (security rule 20)."""
USER_TRIES = ((10, 900), (20, 86400))
"""Wrong answers to steps that are borne of one user, over all factors and logins: number and
seconds (security rule 42)."""
RECOVERY_TRIES = ((5, 900), (10, 86400))
"""The same for what stands in for lost factors: apart, so that who locks the one has not locked the
other, and smaller."""


@dataclass(frozen=True, slots=True)
class EnrolledUser:
    """A user whom a login method knows by id: the owner of a passkey, of a connected identity.

    The id decides, never the address: who has given up an address keeps the passkey, and the
    address's new owner gets nothing by it.

    Attributes:
        id: the user's id, as it was when the method was enrolled.
        address: the address that the user had then. It is asked for only where there is no user
            table: ids are made from addresses there, so that the id must still be this one's.
            `None` where it is not known; without a table that is nobody.
        is_new: whether the method has made the user for this very login.
    """

    id: UserId
    address: Address | None = field(default=None, repr=False)
    is_new: bool = False


Subject = Address | EnrolledUser
"""Whom a proof is about: the owner of an address, or a user by id."""


@dataclass(frozen=True, slots=True)
class Step:
    """A further proof that is required before there can be a session.

    Attributes:
        methods: the authentications that satisfy it; any one of them does. The first is the usual
            one, by which programs name the step.
        path: the step's page, below the mount prefix, e.g. `/step/totp`.
        enrolls: whether the proof is made in it, by somebody who has none yet. Where somebody has
            one, a step never makes another (security rule 48).

    Raises:
        ConfigError: there is no method, or a text stands where a list belongs.
    """

    methods: tuple[str, ...]
    path: str
    enrolls: bool = False

    def __post_init__(self) -> None:
        given: object = self.methods
        if isinstance(given, str) or not given:
            raise ConfigError("Step", "list its methods, e.g. Step(('totp',), '/step/totp')")
        object.__setattr__(self, "methods", tuple(self.methods))

    def is_done(self, methods: tuple[str, ...]) -> bool:
        """Whether one of these methods satisfies it."""
        return any(method in methods for method in self.methods)


@dataclass(frozen=True, slots=True)
class Login:
    """A login in progress: who, proven how, asked by whom, going where.

    Attributes:
        user_id: the user's id.
        email: the user's canonical address: the proven one, or the one that the user has now.
        is_new: true if this login created the user.
        authentications: the proofs so far, in order.
        caller: `browser`, or `server:` and the key's name.
        device: the browser in our closed vocabulary.
        next: the path a browser goes to afterwards.
        organization: the id of the organization that is to be entered; `None` where none was
            named. It says what is wanted: only a rule's verdict puts a session into one. Of a fresh
            proof it is the session's own.
        is_renewal: whether it is for a live session, which goes on: a fresh proof, or the change to
            another organization. The door says so.
        answer: what the login method adds to the JSON answer; nobody else reads it.
        attempt: names it in events; see `Proof.attempt`.
        older: proofs of the session that are too old to be counted here: they say how somebody came
            in, and are worth nothing more. Empty but where somebody asks whether fresh ones do.
        trusted: what the trust cookie of the browser at the door holds, newest first: ids of 16
            bytes, which say nothing before they are looked for.
    """

    user_id: str
    email: str = field(repr=False)
    is_new: bool
    authentications: tuple[Authentication, ...]
    caller: str
    device: str = ""
    next: str = "/"
    organization: str | None = None
    is_renewal: bool = False
    answer: Mapping[str, str] = field(default_factory=dict, repr=False)
    attempt: bytes = field(default=b"", repr=False)
    older: tuple[Authentication, ...] = ()
    trusted: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def methods(self) -> tuple[str, ...]:
        """The proofs' names, in order."""
        return tuple(one.method for one in self.authentications)

    @property
    def strength(self) -> Strength:
        """What the proofs are worth together."""
        return strength_of(self.authentications)


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that waits for a step.

    Attributes:
        login: what is proven so far.
        steps: what is still asked for, in order; never empty.
        expires_at: unix seconds.
        renews: id of the live session that this is a fresh proof for; `None` for a new login.
    """

    login: Login
    steps: tuple[Step, ...]
    expires_at: int
    renews: str | None = None

"""What a login is made of: proofs, further steps, and the login that waits for one.

Every login method ends in an `Authentication`. A rule may ask for a `Step`; until it is done the
login is *pending*: a record of its own, under an id of its own, and not a session anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PENDING_LIFETIME = 600
"""Seconds that a pending login lives (security rule 20)."""
STEP_TRIES = 5
"""Tries for each step, counted per user (security rule 20)."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """One proof.

    Attributes:
        method: which, e.g. `email_code` or `email_link`.
        at: unix seconds at which it was given.
    """

    method: str
    at: int


@dataclass(frozen=True, slots=True)
class Step:
    """A further proof that is asked for before there may be a session.

    Attributes:
        method: the `Authentication.method` that will satisfy it.
        path: the step's page, below the mount prefix, e.g. `/step/totp`.
    """

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Login:
    """A login in progress: who, proven how, asked by whom, going where.

    Attributes:
        user_id: the user's id.
        email: the proven canonical address.
        is_new: true if this login created the user.
        authentications: the proofs so far, in order.
        caller: `browser`, or `server:` and the key's name.
        device: the browser in our closed vocabulary.
        next: the path a browser goes to afterwards.
        state: the API caller's own text.
        template: the wording that was asked for.
        kind: what the first mail carried.
    """

    user_id: str
    email: str = field(repr=False)
    is_new: bool
    authentications: tuple[Authentication, ...]
    caller: str
    device: str = ""
    next: str = "/"
    state: str | None = field(default=None, repr=False)
    template: str = "SIGNIN"
    kind: str = "LINK_OTP"

    @property
    def methods(self) -> tuple[str, ...]:
        """The proofs' names, in order."""
        return tuple(a.method for a in self.authentications)


@dataclass(frozen=True, slots=True)
class PendingLogin:
    """A login that waits for a step.

    Attributes:
        login: what is proven so far.
        steps: what is still asked for, in order; never empty.
        expires_at: unix seconds.
    """

    login: Login
    steps: tuple[Step, ...]
    expires_at: int

"""The session: who signed in, how and when, and when it ends."""

from __future__ import annotations

from dataclasses import field, replace
from typing import NewType

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import (
    Authentication,
    Strength,
    is_fresh,
    strength_of,
)
from pwless_middleware.core.options.given_options import remember_given
from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.errors import ConfigError
from pwless_middleware.text import Text

SessionSecret = NewType("SessionSecret", bytes)
"""48 bytes: 32 random ones (256 bits), then the user's 16-byte digest (its place in the store).

Exists in the browser's cookie or the caller's token, and in the moment of login; never in a store.
"""

SECRET_BYTES = 48
DAY = 86400
YEAR_9999 = 253_402_300_799
LONGEST = 400 * DAY
"""Seconds that a session may live (RFC 6265bis §5.5 caps a cookie's Max-Age there)."""


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser or client.

    Attributes:
        id: the public name: a digest of the secret; safe to show and to log.
        user_id: whose session it is.
        email: the proven address.
        created_at: unix seconds of the login.
        seen_at: unix seconds of use, at most a twenty-fourth of `idle` old.
        idle: seconds without use after which it ends.
        expires_at: unix seconds at which it ends whatever happens.
        authentications: how the person proved it and when, in order; never empty.
        device: the browser in our closed vocabulary, e.g. `Firefox on Linux`.
        organization: the organization that it is in; `None` is none.
        login_id: the id that it had when the login made it; a fresh proof gives a session a new
            `id`, and this one stays. Empty where `id` is still the first.
    """

    id: str
    user_id: str
    email: str = field(repr=False)
    created_at: int
    seen_at: int
    idle: int
    expires_at: int
    authentications: tuple[Authentication, ...]
    device: str = ""
    organization: str | None = None
    login_id: str = ""

    @property
    def first_id(self) -> str:
        """The id that the login gave it."""
        return self.login_id or self.id

    @property
    def organization_id(self) -> str | None:
        """The id of the organization that it is in; `None` is none."""
        return self.organization

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of the authentications, in order, e.g. `("email_code",)`."""
        return tuple(one.method for one in self.authentications)

    @property
    def authenticated_at(self) -> int:
        """Unix seconds of the newest authentication."""
        return max(one.at for one in self.authentications)

    @property
    def strength(self) -> Strength:
        """What the authentications are worth together."""
        return strength_of(self.authentications)

    def is_fresh(self, *, now: int, within: int, strength: Strength = "any") -> bool:
        """Whether what the person has proven in the last seconds is strong enough by itself.

        Args:
            now: unix seconds.
            within: seconds that a proof counts as fresh.
            strength: what the fresh ones must be worth together.
        """
        return is_fresh(self.authentications, now=now, within=within, strength=strength)

    def is_alive(self, now: int) -> bool:
        """Whether it holds: neither idle for too long nor past its end."""
        return now < self.expires_at and now < self.seen_at + self.idle

    def is_due(self, now: int) -> bool:
        """Whether being seen should be written: a twenty-fourth of `idle` has passed."""
        return now - self.seen_at >= max(1, self.idle // 24)

    def with_use_at(self, now: int) -> Session:
        """Return the session as it stands after use at `now`; time never runs backwards in it."""
        return replace(self, seen_at=max(self.seen_at, now))

    @property
    def ends_at(self) -> int:
        """Unix seconds at which it ends if it is not used again."""
        return min(self.expires_at, self.seen_at + self.idle)


@named_options()
@remember_given
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """Set how long sessions live.

    Args:
        idle: seconds without use after which a session ends; 60 to `absolute`; default 7 days.
        absolute: seconds after which it ends in any case; at most 400 days (RFC 6265bis §5.5 caps a
            cookie's Max-Age there); default 30 days.
        not_before: unix seconds; sessions that began earlier are ended. 0 (default) ends none.
            After a theft, set it to the time at which the hole was closed.

    Raises:
        ConfigError: a number is outside its range.
    """

    idle: int = 7 * DAY
    absolute: int = 30 * DAY
    not_before: int = 0
    _given_options: frozenset[str] = field(
        default=frozenset(), init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("absolute", self.absolute, 60, LONGEST),
            ("idle", self.idle, 60, self.absolute),
            ("not_before", self.not_before, 0, YEAR_9999),
        ):
            if type(value) is not int or not low <= value <= high:
                problem = Text("set whole seconds, %(low)s to %(high)s", low=low, high=high)
                raise ConfigError(f"sessions.{name}", problem)

    def stricter(self, other: SessionPolicy) -> SessionPolicy:
        """Return what ends a session sooner, of each of the numbers."""
        return SessionPolicy(
            idle=min(self.idle, other.idle),
            absolute=min(self.absolute, other.absolute),
            not_before=max(self.not_before, other.not_before),
        )

    def admits(self, session: Session, now: int) -> bool:
        """Whether a session would be alive if it had begun under this policy."""
        return session.created_at >= self.not_before and self.narrow(session).is_alive(now)

    def narrow(self, session: Session) -> Session:
        """Return a session with the stricter of its own life and this."""
        return replace(
            session,
            idle=min(session.idle, self.idle),
            expires_at=min(session.expires_at, session.created_at + self.absolute),
        )

    @classmethod
    def strict(cls) -> SessionPolicy:
        """Return the preset for sensitive work: 30 minutes idle, 12 hours in all.

        NIST SP 800-63B-4 §2.2.3 (AAL2): at most 24 hours in all, 1 hour of inactivity.
        """
        return cls(idle=30 * 60, absolute=12 * 3600)

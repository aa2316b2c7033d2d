"""The session: who signed in, how and when, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NewType

from pwless_middleware.core.named_options import named_options
from pwless_middleware.errors import ConfigError

SessionSecret = NewType("SessionSecret", bytes)
"""48 bytes: 32 random ones (256 bits), then the user's 16-byte digest (its place in the store).

Exists in the browser's cookie or the caller's token, and in the moment of login; never in a store.
"""

SECRET_BYTES = 48
DAY = 86400


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser or client.

    Attributes:
        id: the public name: a digest of the secret; safe to show and to log.
        user_id: whose session it is.
        email: the proven address.
        created_at: unix seconds of the login.
        authenticated_at: unix seconds of the newest proof in it.
        seen_at: unix seconds of use, at most a twenty-fourth of `idle` old.
        idle: seconds without use after which it ends.
        expires_at: unix seconds at which it ends whatever happens.
        methods: how the person proved it, in order, e.g. `("email_code",)`.
        device: the browser in our closed vocabulary, e.g. `Firefox on Linux`.
    """

    id: str
    user_id: str
    email: str = field(repr=False)
    created_at: int
    authenticated_at: int
    seen_at: int
    idle: int
    expires_at: int
    methods: tuple[str, ...]
    device: str = ""

    def is_alive(self, now: int) -> bool:
        """Whether it holds: neither idle for too long nor past its end."""
        return now < self.expires_at and now < self.seen_at + self.idle

    def is_due(self, now: int) -> bool:
        """Whether being seen should be written: a twenty-fourth of `idle` has passed."""
        return now - self.seen_at >= max(1, self.idle // 24)

    def seen(self, now: int) -> Session:
        """Return the session as it stands after use at `now`; time never runs backwards in it."""
        return replace(self, seen_at=max(self.seen_at, now))

    @property
    def ends_at(self) -> int:
        """Unix seconds at which it ends if it is not used again."""
        return min(self.expires_at, self.seen_at + self.idle)


@named_options()
@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """Set how long sessions live.

    Args:
        idle: seconds without use after which a session ends; 60 to `absolute`; default 7 days.
        absolute: seconds after which it ends whatever happens; at most 400 days (RFC 6265bis
            §5.5 caps a cookie's Max-Age there); default 30 days.

    Raises:
        ConfigError: a number is outside its range.
    """

    idle: int = 7 * DAY
    absolute: int = 30 * DAY

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("absolute", self.absolute, 60, 400 * DAY),
            ("idle", self.idle, 60, self.absolute),
        ):
            if type(value) is not int or not low <= value <= high:
                raise ConfigError(f"sessions.{name}", f"set whole seconds, {low} to {high}")

    @classmethod
    def strict(cls) -> SessionPolicy:
        """Return the preset for sensitive work: 30 minutes idle, 12 hours in all.

        NIST SP 800-63B-4 §2.2.3 (AAL2): at most 24 hours in all, 1 hour of inactivity.
        """
        return cls(idle=30 * 60, absolute=12 * 3600)

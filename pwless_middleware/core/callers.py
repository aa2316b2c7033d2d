"""Who asks: a browser or a server, and what it has shown of itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pwless_middleware.core.challenges import ChallengeId
from pwless_middleware.core.clients import Client
from pwless_middleware.core.device_cookie import Known
from pwless_middleware.core.sessions import Session

BROWSER = "browser"
IN_PROCESS = "server:"
"""The name of a host app that calls `Passwordless.send` and the like in Python."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Describe who asks.

    Attributes:
        name: `browser`, or `server:` and the API key's name; a challenge belongs to one name.
        client: for the limits; `None` for servers, whose address is their backend's.
        device: the browser in our closed vocabulary; empty for servers.
        holds: the challenges of its flow cookie, newest first; or the one of the request id that a
            server presents. A code or link works only for a challenge that is held here.
        known_to: the addresses of its device cookie or device token.
        session: the session cookie that came along, unread; a login ends what it stands for.
        ends: a session that a login ends besides, where the host itself knows of it.
        pending: the pending login of its cookie; a browser can go on with this one only.
    """

    name: str = BROWSER
    client: Client | None = None
    device: str = ""
    holds: tuple[ChallengeId, ...] = ()
    known_to: Known = field(default=(), repr=False)
    session: str | None = field(default=None, repr=False)
    ends: Session | None = None
    pending: str | None = field(default=None, repr=False)

    @property
    def is_browser(self) -> bool:
        """Say whether cookies are its credentials."""
        return self.name == BROWSER

    def as_stranger(self) -> Caller:
        """Return the same caller without its device cookie."""
        return replace(self, known_to=())

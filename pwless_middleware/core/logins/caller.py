"""The caller of a login: a browser or a server, and the credentials that it has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace

from pwless_middleware.core.challenges.challenge import Challenge, ChallengeId
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.client import Client
from pwless_middleware.core.logins.device_cookie import Known
from pwless_middleware.core.logins.session import Session

BROWSER = "browser"
STEP_UP = "step_up:"
"""How the name of a browser begins that confirms who it is, before the session's id."""
ADDRESS_CHANGE = "address_change:"
"""How the name of a browser or app begins that proves a new address, before the session's id."""
SESSION_TOKEN = "token"  # noqa: S105  # a name
"""The name of an app that has a session token, where a session of its own is renewed."""
IN_PROCESS = "server:"
"""The name of a host app that calls `Passwordless.send` and the like in Python."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        name: `browser`, `step_up:` or `address_change:` and a session's id, `token`, or `server:`
            and the API key's name. A challenge belongs to one name, so that a code for a step-up
            or a new address signs nobody in, a code for a login is neither, and none of them
            serves another session.
        client: for the limits; `None` for servers, whose address is their backend's.
        device: the browser in our closed vocabulary; empty for servers.
        holds: the challenges of its flow cookie, newest first; or the one of the request id that a
            server presents; each with the fingerprint of the key that sealed the handle. A code or
            link works only for a challenge that is held here, under the challenge's own key.
        known_to: the addresses of its device cookie or device token.
        session: the session cookie that came along, unread; a login ends what it stands for.
        ends: a session that a login ends besides, where the host itself knows of it.
        pending: the pending login of its cookie; a browser can go on with this one only.
        trusted: the ids in its trust cookie, newest first.
    """

    name: str = BROWSER
    client: Client | None = None
    device: str = ""
    holds: Mapping[ChallengeId, str] = field(default_factory=dict)
    known_to: Known = field(default=(), repr=False)
    session: str | None = field(default=None, repr=False)
    ends: Session | None = None
    pending: str | None = field(default=None, repr=False)
    trusted: tuple[bytes, ...] = field(default=(), repr=False)

    def holds_with(self, newest: Challenge) -> dict[ChallengeId, str]:
        """Return what it holds once it has been told of a challenge, which comes first."""
        others = {id: key_id for id, key_id in self.holds.items() if id != newest.id}
        return {newest.id: newest.key_id, **others}

    @property
    def is_browser(self) -> bool:
        """Whether cookies are its credentials, and its mails count as those of the pages."""
        return self.name == BROWSER or self.name.startswith((STEP_UP, ADDRESS_CHANGE))

    def for_step_up(self, session_id: str) -> Caller:
        """Return the same browser as it confirms who it is, in a session."""
        return replace(self, name=STEP_UP + session_id)

    def for_address_change(self, session_id: str) -> Caller:
        """Return the same browser, or app, as it proves a new address, in a session."""
        return replace(self, name=ADDRESS_CHANGE + session_id)

    def as_token_holder(self) -> Caller:
        """Return the same caller as an app that gets its session as a token."""
        return replace(self, name=SESSION_TOKEN, session=None, pending=None)

    def as_stranger(self) -> Caller:
        """Return the same caller without its device cookie."""
        return replace(self, known_to=())

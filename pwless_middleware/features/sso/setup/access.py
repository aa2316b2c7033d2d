"""Who may set up a company's login: the browser that has opened the link, until it ends.

The link is looked at with every request, in the database: taken back, ended or finished it opens
nothing more. What the cookie holds is the link's id, and when it was opened.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.core.organizations.organization import Organization, SetupLink
from pwless_middleware.errors import NotFound, RateLimited, RequestExpired
from pwless_middleware.flows.organizations.setup_links import PREFIX, by_link
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.setup_links import read_setup_token

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

PAUSE: Final = 2
"""Seconds between two of one set-up's questions to other servers: its provider's, or DNS."""
_FORM: Final = Struct(">16sQ")

OVER: Final = Text("This set-up is over. Ask for a new link where you got this one.")
ELSEWHERE: Final = Text(
    "This link was opened before, in another browser. Go on there, or ask for a new link where you "
    "got this one."
)
_WAIT: Final = Text("That was quick. Wait a moment, and try again.")


@dataclass(frozen=True, slots=True)
class SetupSession:
    """A set-up that goes on in a browser.

    Attributes:
        link: that has opened it.
        organization: whose login is set up; nothing of any other is reached.
    """

    link: SetupLink
    organization: Organization

    @property
    def by(self) -> str:
        """Who does what is done, for events."""
        return by_link(self.link)


class SetupAccess:
    """Open links, and find the set-up of a browser.

    Args:
        kit: everything below.
        floor: keeps links and organizations.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor) -> None:
        self._kit = kit
        self._floor = floor
        self._turns = kit.records("setup_turns")

    async def find(self, request: Request) -> SetupSession | None:
        """Return the set-up of a browser, or `None` where it has none that goes on.

        Raises:
            StoreError: the database cannot be asked.
        """
        packed = self._kit.cookies.setup(request.scope["headers"])
        if packed is None or len(packed) != _FORM.size:
            return None
        id, opened_at = _FORM.unpack(packed)
        link = await self._floor.setup_links.find(PREFIX + b64(id))
        if link is None or link.opened_at != opened_at or not self._goes_on(link):
            return None
        organization = await self._floor.organizations.find(link.organization)
        return None if organization is None else SetupSession(link, organization)

    async def require(self, request: Request) -> SetupSession:
        """Return the set-up of a browser.

        Raises:
            RequestExpired: it has none that goes on.
            StoreError: the database cannot be asked.
        """
        found = await self.find(request)
        if found is None:
            raise RequestExpired(OVER)
        return found

    async def require_connection(self, request: Request) -> tuple[SetupSession, Connection]:
        """Return the set-up of a browser, and the connection of the path, if it is of the set-up.

        Raises:
            RequestExpired: it has none that goes on.
            NotFound: the organization of the set-up has no such connection.
            StoreError: the database cannot be asked.
        """
        session = await self.require(request)
        connection = await self._floor.connections.require(
            session.organization.id, request.path_params["connection"]
        )
        return session, connection

    async def look(self, token: str) -> tuple[SetupLink, Organization]:
        """Return the link of a token that can be opened now; nothing changes.

        Args:
            token: as it came; any text.

        Raises:
            NotFound: it is none of ours.
            RequestExpired: the link is over, or was opened.
            StoreError: the database cannot be asked.
        """
        id = read_setup_token(self._kit, token)
        if id is None:
            raise NotFound(_UNKNOWN)
        link = await self._floor.setup_links.find(id)
        if link is None or not self._goes_on(link):
            raise RequestExpired(OVER)
        if link.opened_at is not None:
            raise RequestExpired(ELSEWHERE)
        organization = await self._floor.organizations.find(link.organization)
        if organization is None:
            raise RequestExpired(OVER)
        return link, organization

    async def open(self, token: str) -> str:
        """Open a link, and return the cookie of the set-up.

        Args:
            token: as it came; any text.

        Raises:
            NotFound, RequestExpired, StoreError: as `look`; of any number of browsers at once, one
                opens it.
        """
        link, _ = await self.look(token)
        opened = await self._floor.setup_links.open(link)
        if opened is None or opened.opened_at is None:
            raise RequestExpired(ELSEWHERE)
        id = unb64(opened.id.removeprefix(PREFIX)) or b""
        left = max(1, opened.expires_at - self._kit.clock())
        return self._kit.cookies.set_setup(_FORM.pack(id, opened.opened_at), max_age=left)

    def close(self) -> str:
        """Return the cookie that ends the set-up in a browser."""
        return self._kit.cookies.set_setup(None, max_age=0)

    async def take_turn(self, session: SetupSession) -> None:
        """Take the turn to ask another server something.

        Raises:
            RateLimited: the set-up has asked just now.
            Unavailable: the store cannot be asked.
        """
        if not await self._turns.add(session.link.id, ttl=PAUSE):
            raise RateLimited(PAUSE, _WAIT)

    def _goes_on(self, link: SetupLink) -> bool:
        return link.finished_at is None and link.expires_at > self._kit.clock()


_UNKNOWN: Final = Text("This is not the link of a set-up. Copy all of it, as you got it.")

"""Set-up links, made, opened once, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.organization import SetupLink, new_id
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.organizations.checks import check_by, refuse_organization
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.organizations.setup_links import SetupLinkRepository

PREFIX: Final = "setup_"
DAY: Final = 86_400
USUAL: Final = 7 * DAY
"""Seconds that a link lives, where nobody says otherwise."""
SHORTEST: Final = 3600
LONGEST: Final = 90 * DAY
"""Seconds that a link lives, at least and at most."""
NO_LINK: Final = Text("There is no such set-up link any more.")
_NO_SSO: Final = Text("Nobody sets up a login here: add SSO() to the features.")
_FULL: Final = Text("The organization has too many set-up links. Take some back first.")


def check_life(expires_in: int) -> int:
    """Return the seconds that a link or an invitation lives.

    Raises:
        InvalidArgument: they are none.
    """
    if type(expires_in) is not int or not SHORTEST <= expires_in <= LONGEST:
        problem = Text("Send %(least)s to %(most)s.", least=SHORTEST, most=LONGEST)
        raise InvalidArgument.of("expires_in", problem, "range")
    return expires_in


class SendSetupLink(Protocol):
    """Queues the mail of a link, and returns the address that it goes to."""

    async def __call__(self, link: SetupLink, email: str, *, language: str = "") -> Address:
        """Queue it."""
        ...


class SetupLinks:
    """Find and change set-up links.

    Args:
        repository: keeps them.
        events: records changes.
        clock: returns unix seconds.
    """

    def __init__(
        self, repository: SetupLinkRepository, events: Events, clock: Callable[[], int]
    ) -> None:
        self._links = repository
        self._events = events
        self._clock = clock
        self._url_of: Callable[[SetupLink], str] | None = None
        self._send: SendSetupLink | None = None

    def lead_by(self, url_of: Callable[[SetupLink], str], send: SendSetupLink) -> None:
        """Have links lead where a feature has its pages, from now on.

        Args:
            url_of: returns the address that opens a link.
            send: queues the mail of one.
        """
        self._url_of = url_of
        self._send = send

    def url_of(self, link: SetupLink) -> str:
        """Return the address that opens a link, once; whoever has it can open it.

        Raises:
            NotFound: no feature has the pages that it leads to.
        """
        if self._url_of is None:
            raise NotFound(_NO_SSO)
        return self._url_of(link)

    async def send(self, link: SetupLink, email: str, *, language: str = "") -> Address:
        """Send a link to an administrator, and return the address that the mail goes to.

        Args:
            link: which.
            email: whom to, as somebody typed it.
            language: the code of the mail's; empty takes the usual one.

        Raises:
            InvalidArgument: it is no address.
            NotFound: no feature has the pages that the link leads to.
            Unavailable: the queue cannot take it.
        """
        if self._send is None:
            raise NotFound(_NO_SSO)
        return await self._send(link, email, language=language)

    async def find(self, id: str) -> SetupLink | None:
        """Return a link, opened or over or not, or `None`.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._links.find(id) if id.isprintable() else None

    async def list(self, organization: str) -> Sequence[SetupLink]:
        """Return all links of an organization, the newest first.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._links.list(organization)

    async def create(
        self, organization: str, *, expires_in: int = USUAL, by: str = "python"
    ) -> SetupLink:
        """Make a link by which an organization's administrator sets up its login.

        Args:
            organization: its id.
            expires_in: seconds, an hour to 90 days; default 7 days.
            by: who makes it.

        Raises:
            InvalidArgument: a field is bad, or there are too many.
            NotFound: there is no such organization.
            StoreError: the database cannot be asked.
        """
        now = self._clock()
        link = SetupLink(
            id=new_id(PREFIX),
            organization=organization,
            created_at=now,
            expires_at=now + check_life(expires_in),
            by=check_by(by),
        )
        audit = self._events.make(
            "setup_link.created", by=by, organization=organization, details={"id": link.id}
        )
        added = await self._links.add(link, audit=audit)
        if added == "gone":
            refuse_organization()
        if added == "full":
            raise InvalidArgument.of("organization", _FULL, "most")
        self._events.publish(audit)
        return link

    async def open(self, link: SetupLink) -> SetupLink | None:
        """Open a link, once however many try; `None` if it was opened before, is over or is gone.

        Raises:
            StoreError: the database cannot be asked.
        """
        audit = self._events.make(
            "setup_link.opened",
            by=by_link(link),
            organization=link.organization,
            details={"id": link.id},
        )
        opened = await self._links.open(link.id, at=self._clock(), audit=audit)
        if opened is not None:
            self._events.publish(audit)
        return opened

    async def finish(self, link: SetupLink) -> None:
        """Note that all is set up; again it does nothing.

        Raises:
            StoreError: the database cannot be asked.
        """
        audit = self._events.make(
            "setup_link.finished",
            by=by_link(link),
            organization=link.organization,
            details={"id": link.id},
        )
        if await self._links.finish(link.id, at=self._clock(), audit=audit):
            self._events.publish(audit)

    async def revoke(self, organization: str, id: str, *, by: str = "python") -> None:
        """Take a link back; what it has opened ends with the next request.

        Args:
            organization: its id.
            id: the link's.
            by: who does it.

        Raises:
            NotFound: the organization has no such link.
            StoreError: the database cannot be asked.
        """
        audit = self._events.make(
            "setup_link.revoked", by=check_by(by), organization=organization, details={"id": id}
        )
        if not id.isprintable() or not await self._links.revoke(organization, id, audit=audit):
            raise NotFound(NO_LINK)
        self._events.publish(audit)


def by_link(link: SetupLink) -> str:
    """Return who did something, for events, where it was whoever has opened a link."""
    return f"setup_link:{link.id}"

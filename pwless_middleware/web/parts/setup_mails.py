"""The mail that takes a set-up link to a customer's administrator.

The queue holds the id of the link and the address, and no token: that is computed as the mail goes
out. A link that was opened, taken back, or is over by then is not sent.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.organizations.organization import SetupLink
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.languages.current import current_language
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.setup_links import setup_url

TOPIC: Final = "setup_link"
"""The topic of the jobs, and the name of the mail."""


class SetupMails:
    """Send set-up links.

    Args:
        kit: of the feature that mounts `readers`.
        find: returns a link by its id, or `None`.
    """

    def __init__(self, kit: Kit, find: Callable[[str], Awaitable[SetupLink | None]]) -> None:
        self._kit = kit
        self._find = find
        host = kit.origin.host.partition(":")[0]
        self._notices = Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock)

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics (`Mounted.jobs`)."""
        return {TOPIC: self.read}

    async def queue(self, link: SetupLink, email: str, *, language: str = "") -> Address:
        """Queue the mail with a link, and return the address that it goes to.

        Args:
            link: which.
            email: whom to, as somebody typed it.
            language: the code of the mail's; empty takes that of the page that is being written.

        Raises:
            InvalidArgument: it is no address.
            Unavailable: the queue cannot take it.
        """
        to = parse_address(email)
        if to is None:
            raise InvalidArgument.of("email", Text("Enter one email address."), "email")
        told = {
            "id": link.id,
            "to": to,
            "at": self._kit.clock(),
            "language": language or current_language().code,
        }
        await self._kit.jobs.put(TOPIC, json.dumps(told).encode())
        return to

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Send one, if it can still be opened."""
        told = json.loads(job.body)
        link = await self._find(told["id"])
        if link is None or link.opened_at is not None or link.expires_at <= self._kit.clock():
            return Outcome.DROPPED
        return self._notices.deliver(
            TOPIC,
            Address(told["to"]),
            at=told["at"],
            language=told["language"],
            link=setup_url(self._kit, link),
            until=link.expires_at,
        )

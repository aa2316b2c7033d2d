"""The mails of invitations, and the links in them.

A link names the invitation and nothing else. It is sealed, so that nobody makes one by guessing;
and it proves nothing: who accepts has to sign in with the address that is invited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pwless_middleware.core.links import break_foreign
from pwless_middleware.core.organizations.organization import Invitation
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.features.organizations.paths import INVITATION_PATH
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.organization_looks import LookOf
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.floor import OrganizationFloor

TOPIC: Final = "organization_invitation"
"""Topic of the jobs, name of the mail, and what the handle in its link is sealed for."""


class InvitationMails:
    """Make the mails, and read their links.

    Args:
        kit: everything below.
        floor: keeps the invitations.
        look_of: how the mails look.
    """

    def __init__(self, kit: Kit, floor: OrganizationFloor, look_of: LookOf) -> None:
        self._kit = kit
        self._floor = floor
        self._look_of = look_of
        self._host = kit.origin.host.partition(":")[0]
        self._notices = Notices(
            kit.renderer, kit.languages, kit.mailer, host=self._host, clock=kit.clock
        )

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topic."""
        return {TOPIC: self.read}

    async def queue(self, invitation: Invitation) -> None:
        """Queue the mail of an invitation.

        Raises:
            Unavailable: the queue cannot take it.
        """
        await self._kit.jobs.put(TOPIC, invitation.id.encode())

    def link_of(self, invitation: Invitation) -> str:
        """Return the link of an invitation, whole."""
        handle = self._kit.secrets.seal(TOPIC, invitation.id.encode())
        page = f"{self._kit.origin.url}{self._kit.prefix}{INVITATION_PATH}"
        return f"{page}?{urlencode({'link_token': handle})}"

    async def find(self, handle: str) -> Invitation | None:
        """Return the invitation that a link names, however it stands, or `None`.

        Raises:
            StoreError: it cannot be read.
        """
        id = self._kit.secrets.open(TOPIC, handle)
        return None if id is None else await self._floor.invitations.find(id.decode())

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Invite whoever it is, if the invitation still stands."""
        invitation = await self._floor.invitations.find(job.body.decode())
        if invitation is None or invitation.accepted_at is not None:
            return Outcome.DROPPED
        if self._kit.clock() >= invitation.expires_at:
            return Outcome.EXPIRED
        look = await self._look_of(invitation.organization)
        if look is None:
            return Outcome.DROPPED
        return self._notices.deliver(
            TOPIC,
            invitation.email,
            at=invitation.created_at,
            language=look.language,
            link=self.link_of(invitation),
            until=invitation.expires_at,
            variables={"site": break_foreign(self._kit.renderer.brand_name, self._host)},
            brand=look.brand,
        )

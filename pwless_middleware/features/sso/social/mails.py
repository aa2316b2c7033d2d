"""The mail that tells a person of an account at a provider that is linked with theirs here.

Whoever has that account can sign in as them from then on, so they hear of it at the address that
they had before (ASVS 6.3.7). Its job is queued before the account is linked, so that nothing is
linked in silence while the queue is full. One whose link did not come about is dropped, a minute
after it was queued.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.people.change_jobs import wait_for_change
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.languages.current import current_language
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.people.identities import IdentityRepository

LINKED: Final = "provider_linked"
"""Topic of the job, and name of the mail."""


class LinkMails:
    """Queue the jobs, and read them.

    Args:
        kit: everything below.
        identities: tell whether a link came about.
        titles: what people call the providers, by id.
    """

    def __init__(self, kit: Kit, identities: IdentityRepository, titles: Mapping[str, str]) -> None:
        self._kit = kit
        self._identities = identities
        self._titles = titles
        host = kit.origin.host.partition(":")[0]
        self._notices = Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock)

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics."""
        return {LINKED: self.read}

    async def queue(self, identity: Identity, caller: Caller) -> None:
        """Queue the mail of an account that is about to be linked.

        Raises:
            Unavailable: the store or the queue cannot take it.
        """
        now = self._kit.clock()
        body = [
            *(identity.user_id, identity.connection, id_of(identity)),
            *(now, caller.device, current_language().code),
        ]
        packed = json.dumps(body, separators=(",", ":")).encode()
        writes = self._kit.jobs.writes(LINKED, packed)
        await self._kit.store.write(writes, now=now, op=new_operation())

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of an account that was linked."""
        user_id, provider, id, at, device, language = json.loads(job.body)
        linked = await self._identities.list(user_id)
        if not any(one.connection == provider and id_of(one) == id for one in linked):
            return wait_for_change(job, now=self._kit.clock())
        user = await self._kit.users.load(user_id)
        address = parse_address(user.email) if user is not None else None
        if user is None or address is None:
            return Outcome.DROPPED
        return self._notices.deliver(
            LINKED,
            address,
            at=at,
            device=device,
            language=user.language or language,
            variables={"provider": self._titles.get(provider, provider)},
        )


def id_of(identity: Identity) -> str:
    """Return what names an account at a provider; it tells nothing of the subject."""
    return b64(digest("linked-account", identity.connection, identity.subject))

"""The mails that tell a person of a passkey that was added or removed.

Their jobs are queued before the change is made, so that nothing is added in silence while the queue
is full. A job whose change did not come about is dropped, a minute after it was queued. The mail
names what keeps the passkey by our own list, never by the name that somebody has given it: that
would be a text of a stranger's in a mail of ours (security rule 16).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.base64url import b64, unb64
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.features.passkeys.webauthn.names import name_of
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.people.change_jobs import wait_for_change
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.languages.current import current_language
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.passkeys import PasskeyRepository

ADDED, REMOVED = "passkey_added", "passkey_removed"
"""Topics of the jobs, and names of the mails."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What a job tells of.

    Attributes:
        user_id: whose.
        id: of the passkey; empty where all were removed.
        aaguid: the model of what keeps it; empty where all were removed.
        at: unix seconds.
        device: the browser in our closed vocabulary.
        language: the code of the language in which it was made.
    """

    user_id: str
    id: bytes
    aaguid: str
    at: int
    device: str
    language: str

    def pack(self) -> bytes:
        fields = [self.user_id, b64(self.id), self.aaguid, self.at, self.device, self.language]
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, body: bytes) -> _Change:
        user_id, id, *others = json.loads(body)
        return cls(user_id, unb64(id) or b"", *others)


class PasskeyMails:
    """Queue the jobs, and read them.

    Args:
        kit: everything below.
        passkeys: tells whether a change came about.
    """

    def __init__(self, kit: Kit, passkeys: PasskeyRepository) -> None:
        self._kit = kit
        self._passkeys = passkeys
        host = kit.origin.host.partition(":")[0]
        self._notices = Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock)

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics."""
        return {ADDED: self.read_added, REMOVED: self.read_removed}

    async def queue_added(self, passkey: Passkey, caller: Caller | None) -> None:
        """Queue the mail of a passkey that is about to be added.

        Whoever has made the change calls `Kit.wake_delivery` then; as for the others.

        Raises:
            Unavailable: the store or the queue cannot take it.
        """
        await self._queue(ADDED, passkey.user_id, passkey, caller)

    async def queue_removed(
        self, user_id: str, passkey: Passkey | None, caller: Caller | None
    ) -> None:
        """Queue the mail of a passkey that is about to be removed; `None` for all of a person.

        Raises:
            Unavailable: the store or the queue cannot take it.
        """
        await self._queue(REMOVED, user_id, passkey, caller)

    async def _queue(
        self, topic: str, user_id: str, passkey: Passkey | None, caller: Caller | None
    ) -> None:
        now = self._kit.clock()
        change = _Change(
            user_id,
            b"" if passkey is None else passkey.id,
            "" if passkey is None else passkey.aaguid,
            now,
            "" if caller is None else caller.device,
            current_language().code,
        )
        writes = self._kit.jobs.writes(topic, change.pack())
        await self._kit.store.write(writes, now=now, op=new_operation())

    async def read_added(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of a passkey that was added."""
        change = _Change.unpack(job.body)
        passkey = await self._passkeys.find(change.id)
        if passkey is None or passkey.user_id != change.user_id:
            return self._wait_for(job)
        return await self._deliver(ADDED, change)

    async def read_removed(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of a passkey that was removed, or of all."""
        change = _Change.unpack(job.body)
        kept = await self._passkeys.list(change.user_id)
        if any(passkey.id == change.id or not change.id for passkey in kept):
            return self._wait_for(job)
        return await self._deliver(REMOVED, change)

    async def _deliver(self, topic: str, change: _Change) -> Outcome | Delivery:
        user = await self._kit.users.load(change.user_id)
        address = parse_address(user.email) if user is not None else None
        if user is None or address is None:
            return Outcome.DROPPED
        return self._notices.deliver(
            topic,
            address,
            at=change.at,
            device=change.device,
            language=user.language or change.language,
            variables={"passkey": name_of(change.aaguid) if change.aaguid else ""},
        )

    def _wait_for(self, job: QueuedJob) -> Outcome:
        return wait_for_change(job, now=self._kit.clock())

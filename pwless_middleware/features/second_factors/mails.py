"""The mails that tell a person what has become of their second factors.

Their jobs are queued before the change is made, so that nothing is added, removed or used in
silence while the queue is full. A job whose change did not come about is dropped, a minute after it
was queued. Of a factor the mail tells the kind, and of a phone number its last two digits: never
the name that somebody has given it, which would be a text of a stranger's in a mail of ours
(security rule 16), and never the whole number, which whoever reads the mailbox could take over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.factor import Factor
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.people.change_jobs import wait_for_change
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.languages.current import current_language
from pwless_middleware.stores.base import Writes
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository

ADDED, REMOVED = "factor_added", "factor_removed"
CODES_MADE, CODE_USED = "recovery_codes_made", "recovery_code_used"
"""Topics of the jobs, and names of the mails."""


@dataclass(frozen=True, slots=True)
class FactorNotice:
    """What a job tells of.

    Attributes:
        user_id: whose.
        at: unix seconds.
        device: the browser in our closed vocabulary; empty where nobody's browser did it.
        language: the code of the language in which it was done.
        id: of the factor; empty where it is about none.
        factor: its kind; empty where it is about none.
        number: the last two digits of a phone number, or how many recovery codes are left.
    """

    user_id: str
    at: int
    device: str
    language: str
    id: str = ""
    factor: str = ""
    number: str = ""

    def pack(self) -> bytes:
        """Return the body of the job."""
        fields = [self.user_id, self.at, self.device, self.language]
        fields += [self.id, self.factor, self.number]
        return json.dumps(fields, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, body: bytes) -> FactorNotice:
        """Return what a job's body says."""
        return cls(*json.loads(body))


class FactorMails:
    """Queue the jobs, and read them.

    Whoever has made a change calls `Kit.wake_delivery` then.

    Args:
        kit: everything below.
        factors: tell whether a change came about.
    """

    def __init__(self, kit: Kit, factors: FactorRepository) -> None:
        self._kit = kit
        self._factors = factors
        host = kit.origin.host.partition(":")[0]
        self._notices = Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock)

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics."""
        return {
            ADDED: self.read_added,
            REMOVED: self.read_removed,
            CODES_MADE: self.read_codes_made,
            CODE_USED: self.read_code_used,
        }

    # --- queue ---------------------------------------------------------------------------------

    async def queue_added(self, factor: Factor, caller: Caller | None) -> None:
        """Queue the mail of a factor that is about to be added.

        Raises:
            Unavailable: the store or the queue cannot take it.
        """
        await self.queue(ADDED, self._notice_of(factor, caller))

    async def queue_removed(self, factor: Factor, caller: Caller | None) -> None:
        """Queue the mail of a factor that is about to be removed.

        Raises:
            Unavailable: the store or the queue cannot take it.
        """
        await self.queue(REMOVED, self._notice_of(factor, caller))

    async def queue_recovery_codes_made(self, user_id: str, caller: Caller | None) -> None:
        """Queue the mail of recovery codes that are about to be made.

        Raises:
            Unavailable: the store or the queue cannot take it.
        """
        await self.queue(CODES_MADE, self._make_notice(user_id, caller))

    def writes_of_use(self, user_id: str, left: int, caller: Caller | None) -> Writes:
        """Return what queues the mail of a recovery code that is spent.

        For the write that takes the step or login for which it was spent (`StepProof.then`), so
        that it costs no round trip, and nobody gets in by the code unless the mail is queued.

        Args:
            user_id: whose it was.
            left: how many are left.
            caller: who has typed it.
        """
        notice = self._make_notice(user_id, caller, number=str(left))
        return self._kit.jobs.writes(CODE_USED, notice.pack())

    async def queue(self, topic: str, notice: FactorNotice) -> None:
        """Queue a job of these mails, or of others of the feature.

        Raises:
            Unavailable: the store or the queue cannot take it.
        """
        writes = self._kit.jobs.writes(topic, notice.pack())
        await self._kit.store.write(writes, now=self._kit.clock(), op=new_operation())

    def _notice_of(self, factor: Factor, caller: Caller | None) -> FactorNotice:
        return self._make_notice(
            factor.user_id, caller, id=factor.id, factor=factor.kind, number=factor.phone[-2:]
        )

    def _make_notice(self, user_id: str, caller: Caller | None, **more: str) -> FactorNotice:
        device = "" if caller is None else caller.device
        return FactorNotice(user_id, self._kit.clock(), device, current_language().code, **more)

    # --- read ----------------------------------------------------------------------------------

    async def read_added(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of a factor that was added."""
        notice = FactorNotice.unpack(job.body)
        factor = await self._factors.find(notice.id)
        if factor is None or factor.user_id != notice.user_id:
            return self.wait_for(job)
        return await self._deliver_factor(ADDED, notice)

    async def read_removed(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of a factor that was removed."""
        notice = FactorNotice.unpack(job.body)
        if await self._factors.find(notice.id) is not None:
            return self.wait_for(job)
        return await self._deliver_factor(REMOVED, notice)

    async def read_codes_made(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of recovery codes that were made; of that their event tells, written with them."""
        notice = FactorNotice.unpack(job.body)
        made = await self._kit.history.find(
            kind="recovery_codes.made", user_id=notice.user_id, since=notice.at, limit=1
        )
        if not made.events:
            return self.wait_for(job)
        return await self.deliver(CODES_MADE, notice)

    async def read_code_used(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell of a recovery code that was used."""
        notice = FactorNotice.unpack(job.body)
        return await self.deliver(CODE_USED, notice, variables={"left": notice.number})

    async def _deliver_factor(self, topic: str, notice: FactorNotice) -> Outcome | Delivery:
        variables = {"factor": notice.factor, "ending": notice.number}
        return await self.deliver(topic, notice, variables=variables)

    async def deliver(
        self,
        topic: str,
        notice: FactorNotice,
        *,
        link: str | None = None,
        until: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Outcome | Delivery:
        """Return a mail of the feature, to be handed over in its turn; none to who is gone.

        Args:
            topic: the mail's name.
            notice: what it tells of.
            link, until, variables: as of `Notices.deliver`.
        """
        user = await self._kit.users.load(notice.user_id)
        address = parse_address(user.email) if user is not None else None
        if user is None or address is None:
            return Outcome.DROPPED
        return self._notices.deliver(
            topic,
            address,
            at=notice.at,
            device=notice.device,
            language=user.language or notice.language,
            link=link,
            until=until,
            variables=variables,
        )

    def wait_for(self, job: QueuedJob) -> Outcome:
        """Have a job read again while what it tells of may still be under way."""
        return wait_for_change(job, now=self._kit.clock())

"""What is done after a change of address, and after its undo, whatever became of the process.

Both queue their jobs before they happen. A job whose change did not come about is dropped, a minute
after it was queued; else it does once more what may have been cut off, and hands over a mail.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.addresses.address_change import AddressChange
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.people.change_jobs import wait_for_change
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.sessions.sessions_view import SessionsView

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.people.address_changes import AddressChangeRepository

OnAddressUndone = Callable[[str, int], Awaitable[None]]
"""See `Mounted.on_address_undone`."""

CHANGED, UNDONE, WITHDRAWN = "address_changed", "address_undone", "address_withdrawn"
"""Topics of the jobs; those of the first and the last are also the names of their mails."""
UNDO_PURPOSE: Final = "address_undo"
"""What the handle in the mail to the old address is sealed for."""


class AddressChangeJobs:
    """Read the jobs.

    Args:
        repository: keeps the changes.
        users, sessions: what it works with.
        secrets: of the feature.
        notices: make the mails.
        on_undone: returns who is told of an undo, in order.
        in_table: whether the host's own table has the addresses.
        undo_page: absolute URL of the page that undoes.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        repository: AddressChangeRepository,
        users: Users,
        sessions: SessionsView,
        secrets: FeatureSecrets,
        notices: Notices,
        *,
        on_undone: Callable[[], Iterable[OnAddressUndone]],
        in_table: bool,
        undo_page: str,
        clock: Callable[[], int],
    ) -> None:
        self._repository = repository
        self._users = users
        self._sessions = sessions
        self._secrets = secrets
        self._notices = notices
        self._on_undone = on_undone
        self._in_table = in_table
        self._undo_page = undo_page
        self._clock = clock

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics."""
        return {
            CHANGED: self.read_changed,
            UNDONE: self.read_undone,
            WITHDRAWN: self.read_withdrawn,
        }

    async def read_changed(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell the old address, once what it opened is shut."""
        change = await self._repository.find(job.body)
        address = None if change is None else await self._address(change)
        if change is None or (self._in_table and address == change.old):
            return self._wait_for(job)
        if change.undone_at is not None:
            return Outcome.DONE
        if address != change.old:
            for session in await self._sessions.list(change.user_id):
                if session.email == change.old:
                    await self._sessions.end(session)
        handle = self._secrets.seal(UNDO_PURPOSE, change.id)
        return self._notices.deliver(
            CHANGED,
            change.old,
            at=change.changed_at,
            device=change.device,
            language=change.language,
            link=f"{self._undo_page}?{urlencode({'link_token': handle})}",
            until=change.undo_until,
        )

    async def read_undone(self, job: QueuedJob) -> Outcome | Delivery:
        """Do once more what an undo does, should it have been cut off, and tell the old address."""
        change = await self._repository.find(job.body)
        if change is None or change.undone_at is None:
            return self._wait_for(job)
        for told in self._on_undone():
            await told(change.user_id, change.changed_at)
        for session in await self._sessions.list(change.user_id):
            if session.created_at < change.undone_at or session.email != change.old:
                await self._sessions.end(session)
        return self._notice_of_undo("address_restored", change.old, change)

    async def read_withdrawn(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell the address that a change had led to."""
        change = await self._repository.find(job.body)
        if change is None or change.undone_at is None:
            return self._wait_for(job)
        return self._notice_of_undo(WITHDRAWN, change.new, change)

    def _notice_of_undo(self, template: str, to: Address, change: AddressChange) -> Delivery:
        at = change.undone_at or change.changed_at
        return self._notices.deliver(template, to, at=at, language=change.language)

    def _wait_for(self, job: QueuedJob) -> Outcome:
        return wait_for_change(job, now=self._clock())

    async def _address(self, change: AddressChange) -> Address | None:
        user = await self._users.load(change.user_id)
        return parse_address(user.email) if user is not None else None

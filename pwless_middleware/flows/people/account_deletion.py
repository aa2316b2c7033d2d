"""The deletion of an account by its owner: all that is kept goes, and a mail tells it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.user import User
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.capabilities.feature_jobs import FeatureJobs
from pwless_middleware.flows.capabilities.topics import QueuedJob
from pwless_middleware.flows.people.change_jobs import wait_for_change
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.flows.people.people import People
from pwless_middleware.languages.current import current_language
from pwless_middleware.stores.base import Store

TOPIC: Final = "account_deleted"
"""The topic of the jobs, and the name of their mail."""


class AccountDeletion:
    """Delete accounts.

    Args:
        people: deletes all that is kept about a person.
        store: queues the jobs.
        jobs: of the feature.
        notices: make the mail.
        clock: gives unix seconds.
        wake_delivery: has what is queued delivered.
    """

    def __init__(
        self,
        people: People,
        store: Store,
        jobs: FeatureJobs,
        notices: Notices,
        *,
        clock: Callable[[], int],
        wake_delivery: Callable[[], Awaitable[None]],
    ) -> None:
        self._people = people
        self._store = store
        self._wake_delivery = wake_delivery
        self._jobs = jobs
        self._notices = notices
        self._clock = clock

    async def delete(self, user: User, caller: Caller) -> None:
        """Delete everything that is kept about a person, and sign them out everywhere.

        The mail is queued first, so that it is not lost, and holds until then what it needs: the
        address, which is nowhere else afterwards. Its job finishes what is cut off in between.

        Raises:
            InvalidArgument: they are the last admin of the dashboard who can sign in.
            Unavailable: store, queue or database cannot take it; it can be asked for again.
        """
        await self._people.check_removal(user.id)
        now = self._clock()
        told = {
            "user_id": user.id,
            "email": user.email,
            "at": now,
            "device": caller.device,
            "language": user.language or current_language().code,
        }
        queued = self._jobs.writes(TOPIC, json.dumps(told).encode())
        await self._store.write(queued, now=now, op=new_operation())
        await self._people.delete(user.id, by="person")
        await self._wake_delivery()

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell the address, once the account is gone.

        A deletion that was cut off halfway is done to its end: nobody can sign in as this person
        any more, so they cannot ask for it again. One that had changed nothing is not.
        """
        told = json.loads(job.body)
        person = await self._people.find(told["user_id"])
        if person is not None:
            waits = wait_for_change(job, now=self._clock())
            is_begun = person.disabled_at is not None and person.disabled_at >= told["at"]
            if waits is Outcome.NOT_YET or not is_begun:
                return waits
            try:
                await self._people.delete(person.id, by="person")
            except InvalidArgument:  # the last admin of the dashboard by now
                return Outcome.DROPPED
        address = parse_address(told["email"])
        if address is None:
            return Outcome.DROPPED
        return self._notices.deliver(
            TOPIC,
            Address(address),
            at=told["at"],
            device=told["device"],
            language=told["language"],
        )

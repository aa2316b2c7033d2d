"""Invitations: an email that tells somebody that they can sign in, and where.

It holds no secret: its link is the sign-in page, where whoever reads the mailbox asks for a code as
anybody does. So it signs nobody in, and is good for as long as the person may sign in.

The queue holds whose it is, and not the address, which is read as the email is sent: who is deleted
or disabled by then gets none.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.people.person import Person
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import RateLimited
from pwless_middleware.flows.capabilities.feature_jobs import FeatureJobs
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.languages.current import current_language
from pwless_middleware.text import Text, duration_text

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.people.people import PersonRepository

TOPIC: Final = "person_invited"
"""The topic of the jobs."""
TEMPLATE: Final = "invitation"
"""The name of their mail."""
AGAIN_AFTER: Final = 600
"""Seconds between two invitations of one person: a second press of a button is no second email."""


class Invitations:
    """Queue invitations, and make their emails.

    Args:
        people: where they are kept.
        jobs: of the product.
        records: remember who was invited just now.
        notices: make the email.
        login_url: of the sign-in page, absolute.
        clock: returns unix seconds.
    """

    def __init__(
        self,
        people: PersonRepository,
        jobs: FeatureJobs,
        records: Records,
        notices: Notices,
        *,
        login_url: str,
        clock: Callable[[], int],
    ) -> None:
        self._people = people
        self._jobs = jobs
        self._records = records
        self._notices = notices
        self._login_url = login_url
        self._clock = clock

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics."""
        return {TOPIC: self.read}

    async def reserve(self, person: Person) -> None:
        """Take the turn to invite somebody, before it is told of and queued.

        Raises:
            RateLimited: they were invited just now.
            Unavailable: the store cannot be asked.
        """
        if not await self._records.add(person.id, ttl=AGAIN_AFTER):
            wait = duration_text(AGAIN_AFTER)
            text = Text("They were invited just now. Wait %(wait)s.", wait=wait)
            raise RateLimited(AGAIN_AFTER, text)

    async def queue(self, person: Person) -> None:
        """Queue the email to somebody.

        Raises:
            Unavailable: store or queue cannot take it.
        """
        language = person.language or current_language().code
        told = {"user_id": person.id, "at": self._clock(), "language": language}
        await self._jobs.put(TOPIC, json.dumps(told).encode())

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell the person, if there is still somebody to tell."""
        told = json.loads(job.body)
        person = await self._people.find(told["user_id"])
        if person is None or person.is_disabled:
            return Outcome.DROPPED
        return self._notices.deliver(
            TEMPLATE,
            Address(person.email),
            at=told["at"],
            language=told["language"],
            link=self._login_url,
        )

"""The delivery of emails and text messages, as features see it: its queue and its health."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, TypeVar

from pwless_middleware.core.storage.job import JobCount, Jobs, JobState, ListedJob
from pwless_middleware.delivery.base import Mailer
from pwless_middleware.delivery.health.handovers import server_of
from pwless_middleware.delivery.health.server_health import ServerHealth
from pwless_middleware.delivery.queue.outcomes import Channel
from pwless_middleware.delivery.queue.queue import Deliveries
from pwless_middleware.delivery.texts.senders import TextSenders
from pwless_middleware.errors import StoreTimeout
from pwless_middleware.flows.capabilities.topics import JobDescription, Topics

SECONDS: Final = 1.0
"""How long a look at the queue may take: a page waits for it."""

T = TypeVar("T")


class DeliveryView:
    """Tell what waits, since when nothing goes out, and how each server does.

    Health is what this process has seen: each one sends, and finds out by itself.

    Args:
        jobs: the queue.
        deliveries: the worker's side of it.
        mailer: who emails go through.
        text_senders: who text messages go through.
        topics: tell what a job is.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        jobs: Jobs,
        deliveries: Deliveries,
        mailer: Mailer,
        text_senders: TextSenders,
        topics: Topics,
        clock: Callable[[], int],
    ) -> None:
        self._jobs = jobs
        self._deliveries = deliveries
        self._mailer = mailer
        self._text_senders = text_senders
        self._topics = topics
        self._clock = clock

    # --- health --------------------------------------------------------------------------------

    @property
    def queue_down_since(self) -> int | None:
        """Since when the queue cannot be asked, unix seconds; `None` where it can."""
        return self._deliveries.queue_down_since

    def down_since(self, channel: Channel = "mail") -> int | None:
        """Return since when messages do not go out on a channel, unix seconds; `None`: they do.

        Text messages never fail where nobody sends any.
        """
        if channel == "sms" and self._text_senders.parallel == 0:
            return None
        return self._deliveries.down_since(channel)

    def servers(self) -> Sequence[ServerHealth]:
        """Return how each server does, those that were not used yet among them."""
        seen = {
            (health.channel, health.server): health for health in self._deliveries.servers.all()
        }
        for channel, server in self._set_up():
            seen.setdefault((channel, server), ServerHealth(server, channel))
        return [seen[key] for key in sorted(seen)]

    def sender_domains(self) -> Sequence[str]:
        """Return the domains that emails come from, as far as the mailers say it."""
        found = [getattr(mailer, "sender_domain", "") for mailer in _flatten(self._mailer)]
        return list(dict.fromkeys(domain for domain in found if domain))

    def _set_up(self) -> Iterator[tuple[Channel, str]]:
        for mailer in _flatten(self._mailer):
            yield "mail", server_of(mailer)
        for sender in self._text_senders.flatten():
            yield "sms", server_of(sender)

    # --- the queue -----------------------------------------------------------------------------

    async def count(self) -> JobCount:
        """Return how many jobs the queue has now.

        Raises:
            StoreError: it could not be asked, or took more than a second to answer.
        """
        return await _within_a_second(self._jobs.count(now=self._clock()))

    async def list(self, state: JobState, *, after: str = "", limit: int) -> Sequence[ListedJob]:
        """Return some of the jobs; the arguments are those of `Jobs.list`.

        Raises:
            ValueError: `after` is no place of such a list.
            StoreError: as from `count`.
        """
        asked = self._jobs.list(state, now=self._clock(), after=after, limit=limit)
        return await _within_a_second(asked)

    def describe(self, listed: ListedJob) -> JobDescription:
        """Return what a job says of itself."""
        return self._topics.describe(listed.job.payload)

    async def revive(self, ids: Sequence[str]) -> int:
        """Have jobs tried at once that are dead or wait for a later try; return how many were.

        Whoever waits for them calls `Kit.wake_delivery` afterwards.

        Raises:
            StoreError: the queue could not be asked; it may have happened.
        """
        return await self._jobs.revive(ids, now=self._clock())

    async def drop(self, ids: Sequence[str]) -> int:
        """Remove jobs, dead or waiting; return how many there were.

        Raises:
            StoreError: as from `revive`.
        """
        return await self._jobs.drop(ids)


async def _within_a_second(asked: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(SECONDS):
            return await asked
    except TimeoutError as error:
        raise StoreTimeout("the queue did not answer in time") from error


def _flatten(mailer: Mailer) -> Iterator[Mailer]:
    """Go through the mailers behind one, such as the two of a `FallbackMailer`."""
    inner: tuple[Mailer, ...] = getattr(mailer, "mailers", ())
    if not inner:
        yield mailer
    for each in inner:
        yield from _flatten(each)

"""Jobs by name: each is read by the feature whose topic it has, and by no other.

A job's payload is its topic with its length in front, then the body, bound to the topic by a MAC
(`Keyring.bind`), then four bytes that say until when the job is of use:

    length  topic  MAC(topic, body + until)  body  until

So a process can tell, of a job that it cannot read, whether another process still may: during a
deployment the other one has the feature, or the key, that this one lacks. Such a job is left in the
queue until its end, and then dropped with an error in the log, since what it stood for never
happened. Who can write to the store but lacks the key has no job read by any feature.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import ConfigError

logger = logging.getLogger("pwless.delivery")

LONGEST: Final = 86400
"""Seconds that a job may wait, at most: no try of a day's old job is what anybody waits for."""
TOPIC = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job of a feature, as it was queued.

    Attributes:
        body: what the feature put.
        until: unix seconds until which it is of use.
        key_id: fingerprint of the key that binds it.
    """

    body: bytes = field(repr=False)
    until: int
    key_id: str


@dataclass(frozen=True, slots=True)
class JobDescription:
    """What a queued job says of itself, for a person who looks.

    Attributes:
        topic: its name; empty where it says none.
        until: unix seconds until which it is of use; 0 where it does not say.
        body: what the feature put; `None` where this process has not the key that binds it, and so
            cannot know who has written the rest.
    """

    topic: str
    until: int
    body: bytes | None = field(repr=False)


ReadJob = Callable[[QueuedJob], Awaitable[Outcome | Delivery]]
"""Read a job, and return how it ended, or what is to be handed over in its turn.

Raises `DeliveryError` or anything else to have it tried again, later each time. It may be called
twice for one job, after a crash or a lost answer."""


class Topics:
    """The topics of all features, and who reads their jobs.

    Args:
        keyring: binds jobs.
        clock: gives unix seconds.
    """

    def __init__(self, keyring: Keyring, clock: Callable[[], int]) -> None:
        self._keyring = keyring
        self._clock = clock
        self._readers: dict[bytes, ReadJob] = {}
        self._owners: dict[str, str] = {}

    def add(self, topic: str, reader: ReadJob, *, owner: str) -> None:
        """Have a topic's jobs read.

        Args:
            topic: its name, which no other feature has (`web.mounting.wiring`).
            reader: reads them.
            owner: the feature's name.

        Raises:
            ConfigError: it is no name of a topic.
        """
        if not isinstance(topic, str) or not TOPIC.fullmatch(topic):
            raise ConfigError(
                "features",
                f"{owner} mounts jobs of {topic!r}: a topic is up to 32 of a-z, 0-9 and _",
            )
        self._readers[topic.encode()] = reader
        self._owners[topic] = owner

    def of(self, owner: str) -> list[str]:
        """Return the topics whose jobs somebody reads."""
        return [topic for topic, one in self._owners.items() if one == owner]

    def owner_of(self, topic: str) -> str | None:
        """Return the name of the feature that reads a topic's jobs, or `None`."""
        return self._owners.get(topic)

    def payload(self, topic: str, body: bytes, *, until: int, key_id: str | None = None) -> bytes:
        """Return what the queue keeps of a job.

        Args:
            topic: its name.
            body: what its reader is given; no secret, since it stands in the store as it is.
            until: unix seconds until which it is of use; at most a day from now.
            key_id: fingerprint of the key that binds it; `None` takes the current one.
        """
        bound = self._keyring.bind(
            "job", topic, body + until.to_bytes(4, "big"), key_id=key_id or self._keyring.current
        )
        return bytes([len(topic)]) + topic.encode() + bound

    def describe(self, payload: bytes) -> JobDescription:
        """Return what a job says of itself, whoever reads it."""
        size = payload[0] if payload else 0
        topic, bound = payload[1 : 1 + size].decode("ascii", "replace"), payload[1 + size :]
        if not TOPIC.fullmatch(topic):
            return JobDescription("", 0, None)
        opened = self._keyring.unbind("job", topic, bound)
        body = opened.payload[:-4] if opened is not None else None
        return JobDescription(topic, int.from_bytes(bound[-4:], "big"), body)

    async def read(self, payload: bytes) -> Outcome | Delivery:
        """Have a job read by the feature whose topic it has."""
        size = payload[0] if payload else 0
        topic, bound = payload[1 : 1 + size], payload[1 + size :]
        reader = self._readers.get(topic)
        opened = self._keyring.unbind("job", topic.decode(), bound) if reader else None
        if reader is not None and opened is not None:
            body, until = opened.payload[:-4], int.from_bytes(opened.payload[-4:], "big")
            return await reader(QueuedJob(body, until, opened.key_id))
        now, until = self._clock(), int.from_bytes(bound[-4:], "big")
        if now < until <= now + LONGEST:
            return Outcome.NOT_OURS
        if reader is not None:
            return Outcome.EXPIRED
        name = topic.decode("ascii", "replace")
        logger.error(
            "a job of topic %r was dropped: no process had the feature that reads it",
            name if TOPIC.fullmatch(name) else "?",
            extra={"event": "job_unread"},
        )
        return Outcome.DROPPED

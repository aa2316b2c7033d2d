"""What an operator does with the queue: which jobs a form means, and the event of each change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from starlette.requests import Request

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.events.event_search import StoredEvent
from pwless_middleware.core.storage.job import JobState, ListedJob
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.dashboard.delivery.rows import key_of
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories

_STATES: Final[Sequence[JobState]] = ("waiting", "dead")
_AT_ONCE: Final = 1000
"""Jobs that are looked at in one go, which are all dead ones that a store keeps."""
_MOST_PAGES: Final = 20
"""Of so many, that are looked through for one."""
_QUERY: Final = Fields(
    {
        "state": Field(about="Whether it waits or was given up.", one_of=tuple(_STATES)),
        "job": Field(about="A job.", longest=60),
        "reason": Field(about="What names a reason.", longest=16),
    }
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Jobs that a form means.

    Attributes:
        state: where they are.
        jobs: those that are there.
        job: the id of the one; empty where all of a reason are meant.
        reason_key: what names the reason; empty where one job is meant.
    """

    state: JobState
    jobs: Sequence[ListedJob]
    job: str = ""
    reason_key: str = ""

    @property
    def reason(self) -> str:
        """Why the first of them was put back or given up; empty for no reason."""
        return self.jobs[0].job.reason if self.jobs else ""

    @property
    def fields(self) -> dict[str, str]:
        """What a form says that means the same."""
        fields = {"state": self.state, "job": self.job, "reason": self.reason_key}
        return {name: value for name, value in fields.items() if value}


class DeliveryChanges:
    """Find jobs, and have them tried again or dropped.

    The queue may be in another store than the events, so that the two are not one transaction: who
    does it is written before it is done, and nothing is done unseen.

    Args:
        kit: everything below.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._events = cast("Repositories", kit.repositories).events

    def read_query(self, request: Request) -> Mapping[str, str]:
        """Return what a query says of the jobs that it means.

        Raises:
            InvalidArgument: a field that there is not, or a value that it cannot have.
        """
        values = read_query(request, _QUERY)
        return {name: values.text(name) for name in _QUERY.fields}

    async def find(self, given: Mapping[str, str]) -> Wanted:
        """Return the jobs that a form or query means.

        Args:
            given: `state`, and either `job` or `reason`.

        Raises:
            InvalidArgument: it says neither, or both, or a state that there is not.
            StoreError: the queue cannot be asked.
        """
        state = next((one for one in _STATES if one == given.get("state")), None)
        job, reason = given.get("job", ""), given.get("reason", "")
        if state is None:
            names = ", ".join(_STATES)
            raise InvalidArgument.of("state", Text("Send one of %(names)s.", names=names), "enum")
        if bool(job) == bool(reason) or (reason and state == "waiting"):
            raise InvalidArgument.of("job", Text("Choose a message, or a reason."), "required")
        if job:
            return Wanted(state, await self._find_one(state, job), job=job)
        dead = await self._kit.delivery.list("dead", limit=_AT_ONCE)
        jobs = [each for each in dead if key_of(each.job.reason) == reason]
        return Wanted(state, jobs, reason_key=reason)

    async def _find_one(self, state: JobState, id: str) -> Sequence[ListedJob]:
        after = ""
        for _ in range(_MOST_PAGES):
            jobs = await self._kit.delivery.list(state, after=after, limit=_AT_ONCE)
            found = [each for each in jobs if each.job.id == id]
            if found or len(jobs) < _AT_ONCE:
                return found
            after = jobs[-1].place
        return ()

    async def retry(self, wanted: Wanted, *, by: str) -> int:
        """Have jobs tried again at once; return how many.

        Raises:
            StoreError: it cannot be done now; some may have been.
        """
        if not wanted.jobs:
            return 0
        await self._note("delivery.retried", wanted, by)
        count = await self._kit.delivery.revive([each.job.id for each in wanted.jobs])
        await self._kit.wake_delivery()
        return count

    async def drop(self, wanted: Wanted, *, by: str) -> int:
        """Drop jobs; return how many.

        Raises:
            StoreError: it cannot be done now; some may have been.
        """
        if not wanted.jobs:
            return 0
        await self._note("delivery.dropped", wanted, by)
        return await self._kit.delivery.drop([each.job.id for each in wanted.jobs])

    async def _note(self, kind: str, wanted: Wanted, by: str) -> None:
        topics = {self._kit.delivery.describe(each).topic or "?" for each in wanted.jobs}
        details: dict[str, str | int] = {
            "count": len(wanted.jobs),
            "state": wanted.state,
            "topics": ", ".join(sorted(topics))[:200],
            "why": wanted.reason[:200],
        }
        audit = self._kit.events.make(kind, by=by, details=details)
        await self._events.write([StoredEvent(audit)])
        self._kit.events.publish(audit)

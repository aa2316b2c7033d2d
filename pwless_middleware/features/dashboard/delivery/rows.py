"""Jobs as lines of a table, and those that were given up for one reason together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from pwless_middleware.core.challenges.challenge import attempt_of
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.storage.format_v1 import unpack_job
from pwless_middleware.core.storage.job import ListedJob
from pwless_middleware.features.dashboard.delivery.reasons import explain_reason
from pwless_middleware.features.dashboard.delivery.topics import topic_text
from pwless_middleware.flows.capabilities.topics import JobDescription
from pwless_middleware.flows.challenges.challenges import MAIL
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.web.kit import Kit

_LOG: str = "/dashboard/log"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One line. Times are as people read them, and as machines do; empty where it is not known.

    Attributes:
        id: names it in a form.
        what: it is, in words.
        tries: how many it has had.
        reason: as the queue keeps it; empty for none.
        meaning: the reason in words; empty where it speaks for itself.
        queued, queued_iso: when it was asked for.
        at, at_iso: when it is due, or was given up.
        is_claimed: whether it is being sent just now.
        is_later: whether it waits for a later try.
        is_late: whether what it says is of no use any more: then another try sends nothing.
        log: the path of its login in the log; empty where there is none.
    """

    id: str
    what: str
    tries: int
    reason: str
    meaning: str
    queued: str
    queued_iso: str
    at: str
    at_iso: str
    is_claimed: bool
    is_later: bool
    is_late: bool
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """Jobs that were given up for one reason.

    Attributes:
        key: names the reason in a form.
        reason: as the queue keeps it.
        meaning: in words; empty where it speaks for itself.
        count: how many there are.
    """

    key: str
    reason: str
    meaning: str
    count: int


def key_of(reason: str) -> str:
    """Return what names a reason in a form or an address: 16 hexadecimal digits.

    A reason is long, and may be what somebody else has written.
    """
    return hashlib.sha256(reason.encode()).hexdigest()[:16]


def make_reason_rows(jobs: Iterable[ListedJob]) -> list[ReasonRow]:
    """Return the reasons for which jobs were given up, the most frequent first."""
    counts: dict[str, int] = {}
    for each in jobs:
        counts[each.job.reason] = counts.get(each.job.reason, 0) + 1
    return [
        ReasonRow(key=key_of(reason), reason=reason, meaning=_meaning_of(reason), count=count)
        for reason, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def make_job_rows(kit: Kit, jobs: Sequence[ListedJob], *, is_dead: bool) -> list[JobRow]:
    """Return the lines of some jobs."""
    has_log = any(page.path == _LOG for page in kit.offers.dashboard_pages)
    return [_row(kit, each, is_dead=is_dead, has_log=has_log) for each in jobs]


def _row(kit: Kit, listed: ListedJob, *, is_dead: bool, has_log: bool) -> JobRow:
    job, now, description = listed.job, kit.clock(), kit.delivery.describe(listed)
    attempt = _attempt_of(kit, description) if has_log else ""
    return JobRow(
        id=job.id,
        what=translate(topic_text(description.topic)),
        tries=job.tries + is_dead,  # a job that is given up does not count its last one
        reason=job.reason,
        meaning=_meaning_of(job.reason),
        queued=format_time(job.queued_at) if job.queued_at else "",
        queued_iso=format_iso(job.queued_at) if job.queued_at else "",
        at=format_time(listed.at) if listed.at else "",
        at_iso=format_iso(listed.at) if listed.at else "",
        is_claimed=listed.is_claimed,
        is_later=not is_dead and not listed.is_claimed and listed.at > now,
        is_late=0 < description.until <= now,
        log=f"{_LOG}/{attempt}" if attempt else "",
    )


def _meaning_of(reason: str) -> str:
    meaning = explain_reason(reason)
    return translate(meaning) if meaning is not None else ""


def _attempt_of(kit: Kit, description: JobDescription) -> str:
    """Return what the log calls the login of a mail; empty for another job, or one not ours."""
    if description.topic != MAIL or description.body is None:
        return ""
    id, _ = unpack_job(description.body)
    return kit.events.attempt_digest(attempt_of(id)) or ""

"""What people saw during a load test, and the proof that nothing was lost: pure, no I/O.

Every answer that a person gets is an `Answer`; what it was about is named by addresses and session
cookies, never by what the servers say of themselves. `judge` holds them to the promises of the
README and gives every breach as a sentence. `test_events.py` shows that it finds each kind.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

TRIES = 5
"""Codes that may be compared for one challenge (security numbers)."""
HEARD_WITHIN = 0.1
"""Seconds after the answer to a revocation in which a request may still be let in elsewhere."""

Kind = Literal["ask", "code", "link", "request", "logout"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, or a connection that ended without one.

    Attributes:
        kind: what was asked.
        process: who answered.
        begun, ended: monotonic seconds.
        status: HTTP; 0 if the connection was cut.
        address: whose mail it was about; for `request`, whose session.
        session: the cookie sent (`request`, `logout`) or won (`code`, `link`); empty for none.
        told: for `request`, the address that the app was told.
    """

    kind: Kind
    process: str
    begun: float
    ended: float
    status: int
    address: str
    session: str = ""
    told: str = ""


@dataclass(slots=True)
class Record:
    """Everything that a run recorded.

    Attributes:
        answers: in the order in which they came.
        revoked: session → when its end was acknowledged.
        doubtful: sessions whose end was asked for without an acknowledgement: both may be so.
        gone: process and time, from when it was killed until it answered again.
        mails: address → how many came.
        reported: mails that the processes logged as not delivered.
        sessions: address → session records in the store at the end.
    """

    answers: list[Answer] = field(default_factory=list)
    revoked: dict[str, float] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    gone: list[tuple[str, float, float]] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    reported: int = 0
    sessions: Counter[str] = field(default_factory=Counter)

    def of(self, *kinds: Kind) -> Iterator[Answer]:
        """Return the answers of these kinds."""
        return (answer for answer in self.answers if answer.kind in kinds)

    @property
    def asked(self) -> set[str]:
        """Addresses whose mail was accepted."""
        return {answer.address for answer in self.of("ask") if answer.status == 303}

    @property
    def logins(self) -> list[Answer]:
        """Verifications that won a session."""
        return [answer for answer in self.of("code", "link") if answer.session]

    @property
    def missing(self) -> set[str]:
        """Addresses whose accepted mail never came."""
        return {address for address in self.asked if not self.mails[address]}

    @property
    def latest(self) -> float:
        """How long after the answer to a revocation a request began that was still let in."""
        return max((after for _, after in self._admitted()), default=0.0)

    def _admitted(self) -> Iterator[tuple[Answer, float]]:
        for answer in self.of("request"):
            at = self.revoked.get(answer.session)
            if at is not None and answer.status == 200 and answer.begun > at:
                yield answer, answer.begun - at


def judge(record: Record) -> list[str]:
    """Return every breach of a promise."""
    return [
        *_errors(record),
        *_challenges(record),
        *_sessions(record),
        *_mails(record),
    ]


def _errors(record: Record) -> Iterator[str]:
    """No 5xx but 503; no connection cut but by a process that was killed."""
    for answer in record.answers:
        if answer.status >= 500 and answer.status != 503:
            yield f"{answer.status} from {answer.process} to {answer.kind}"
        if answer.status == 0 and not any(
            name == answer.process and answer.begun < till and answer.ended >= since
            for name, since, till in record.gone
        ):
            yield f"{answer.process} cut a {answer.kind} though it was not killed"


def _challenges(record: Record) -> Iterator[str]:
    """One challenge an address: at most one session, at most five codes compared."""
    won, compared = Counter[str](), Counter[str]()
    for answer in record.of("code", "link"):
        won[answer.address] += bool(answer.session)
        compared[answer.address] += answer.kind == "code" and answer.status in (303, 400)
    yield from (f"{n} sessions from one challenge" for n in won.values() if n > 1)
    yield from (f"{n} codes compared for one challenge" for n in compared.values() if n > TRIES)
    yield from (
        f"{n} session records from one challenge" for n in record.sessions.values() if n > 1
    )


def _sessions(record: Record) -> Iterator[str]:
    """Nobody is somebody else; the revoked are out at once, and nobody else is out."""
    owner = {answer.session: answer.address for answer in record.logins}
    for answer in record.of("request"):
        if answer.status == 200 and answer.told != owner.get(answer.session):
            yield "somebody was let in as somebody else"
        if (
            answer.status == 401
            and answer.session not in record.doubtful
            and not _may_be_over(record, answer)
        ):
            yield f"a session was lost (401 from {answer.process})"
    for answer, after in record._admitted():
        if after > HEARD_WITHIN:
            yield f"{answer.process} let a revoked session in after {after * 1000:.0f} ms"


def _may_be_over(record: Record, answer: Answer) -> bool:
    """A revocation takes effect somewhere between its question and its answer."""
    begun = min(
        (each.begun for each in record.of("logout") if each.session == answer.session),
        default=None,
    )
    return begun is not None and answer.ended >= begun


def _mails(record: Record) -> Iterator[str]:
    """Every accepted mail was delivered or reported."""
    lost = len(record.missing) - record.reported
    if lost > 0:
        yield f"{lost} accepted mails were neither delivered nor reported"


def by_kind(record: Record) -> dict[str, Counter[int]]:
    """Count answers by kind and status."""
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for answer in record.answers:
        counts[answer.kind][answer.status] += 1
    return counts

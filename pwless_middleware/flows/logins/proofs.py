"""What a login method hands to the door: a proof, and what its winning take writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.login import Login, Subject
from pwless_middleware.errors import ApiError
from pwless_middleware.stores.base import Writes

Holds = Callable[[], Awaitable[bool]]
"""Whether what has proven something is still there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a caller has proven, and what must still be spent for it.

    Attributes:
        subject: whom it is about: an address, or a user by id (`EnrolledUser`).
        authentication: how and when.
        takes: the record to take: the proof's single use; `None` where it was spent before anything
            was verified, as a passkey's challenge is (security rule 30).
        refusal: what to raise where nobody is to be served: the same as for a wrong proof.
        then: what the winning take writes; a refund of this proof's own count, for one.
        may_create: whether an unknown address becomes a user; where it does not, who was invited
            does (`Mounted.may_sign_up`). A user by id is never made.
        next: the path a browser goes to afterwards.
        device: the browser in our closed vocabulary.
        organization: the id of the organization that is to be entered; `None` names none. A rule
            has to agree.
        answer: what the method adds to the JSON answer. It is kept while the login is pending, so
            that the answer is the same whichever step came between.
        attempt: names the login in events: the random part of the id of what it answers, a
            challenge or a ceremony; empty for none.
        holds: whether what has proven it is still there; asked once the session is written, which
            goes again where it is not. Whoever removes a factor withdraws what it had proven
            (`SessionsView.withdraw`), and this finds what was under way then. `None` asks nothing.
    """

    subject: Subject = field(repr=False)
    authentication: Authentication
    takes: str | None
    refusal: ApiError
    then: Writes = field(default_factory=Writes)
    may_create: bool = False
    next: str = "/"
    device: str = ""
    organization: str | None = None
    answer: Mapping[str, str] = field(default_factory=dict, repr=False)
    attempt: bytes = field(default=b"", repr=False)
    holds: Holds | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class StepProof:
    """What a right answer to a step proves.

    Attributes:
        authentication: how and when; its method is the one that the step was tried by.
        then: what is written as the step is taken, all or nothing with it: the counter of a
            one-time password, for one. Refunds do not belong here; the door has its own.
        holds: as of `Proof`: asked once the step is taken.
    """

    authentication: Authentication
    then: Writes = field(default_factory=Writes)
    holds: Holds | None = field(default=None, repr=False)


StepCheck = Callable[[Login], Awaitable[StepProof | None]]
"""Whether an answer to a step is right, asked after the try was counted; `None` is wrong."""

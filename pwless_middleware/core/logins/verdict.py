"""The verdict: how a rule narrows the session that a login will get."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import reduce

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.session import SessionPolicy
from pwless_middleware.errors import LoginDenied

Admission = Callable[[], Awaitable[None]]
"""What is done once every rule has let a login in, and no step is missing, before there is a
session: somebody becomes a member. May be called again for the same login; raises `LoginDenied`
where it cannot be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A rule's restrictions on a login that it lets in.

    Attributes:
        session: how long the session may live, at most; `None` takes the deployment's numbers.
            The stricter number counts: a rule can shorten a session, never lengthen one.
        organization: the id of the organization that the session is in; `None` is none.
        admissions: what comes before the session; first that of a verdict which names the
            organization, so that somebody is in it when others come to what is theirs there.
    """

    session: SessionPolicy | None = None
    organization: str | None = None
    admissions: tuple[Admission, ...] = ()


def stricter(a: Verdict, b: Verdict) -> Verdict:
    """Return what two verdicts come to: never looser than either, in whichever order.

    Raises:
        LoginDenied: they name two organizations. A session is in one at most, and to choose one
            would lift the other's rules.
    """
    if None not in (a.organization, b.organization) and a.organization != b.organization:
        raise LoginDenied
    if a.session is None or b.session is None:
        session = a.session or b.session
    else:
        session = a.session.stricter(b.session)
    first, then = (b, a) if a.organization is None else (a, b)
    return Verdict(
        session=session,
        organization=a.organization or b.organization,
        admissions=(*first.admissions, *then.admissions),
    )


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return what any number of verdicts come to; none at all narrows nothing.

    Raises:
        LoginDenied: two of them name two organizations.
    """
    return reduce(stricter, verdicts, Verdict())

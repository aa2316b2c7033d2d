"""The authentication: one proof of who somebody is, and what several of them are worth together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pwless_middleware.core.dataclass import dataclass

Strength = Literal["any", "second_factor", "phishing_resistant"]
"""How strongly somebody has proven who they are. Each word includes those before it."""

WITHDRAWN = "withdrawn"
"""Method of a proof that counts for nothing more than that there was one: what gave it is removed.
It keeps a session alive in which somebody has removed all that had proven it."""

_LOGINS = ("mailbox", "sso:", "social:")
_LOGIN = "login"
"""To read a mailbox, and to be let in by a provider that is often reached by it, is one thing
proven twice: together they are no second factor."""

STRENGTHS: tuple[Strength, ...] = ("any", "second_factor", "phishing_resistant")


@dataclass(frozen=True, slots=True)
class Authentication:
    """One proof.

    Attributes:
        method: which, e.g. `email_code`, `email_link` or `passkey`.
        at: unix seconds at which it was given.
        factors: what was proven, each word a factor of its own; two methods that prove the same
            thing (`email_code` and `email_link` prove the mailbox) name the same factor. A passkey
            with user verification names two (WebAuthn Level 3 §6.1, "multi-factor"). Empty is one
            factor, named like the method.
        phishing_resistant: whether a page of another origin cannot have relayed it (NIST SP
            800-63B-4 §3.2.5).
    """

    method: str
    at: int
    factors: tuple[str, ...] = ()
    phishing_resistant: bool = False


def strength_of(authentications: Iterable[Authentication]) -> Strength:
    """Return what authentications are worth together; none at all is `any`."""
    given = tuple(one for one in authentications if one.method != WITHDRAWN)
    factors = {
        _LOGIN if factor.startswith(_LOGINS) else factor
        for one in given
        for factor in one.factors or (one.method,)
    }
    if len(factors) < 2:
        return "any"
    return "phishing_resistant" if any(one.phishing_resistant for one in given) else "second_factor"


def is_at_least(strength: Strength, wanted: Strength) -> bool:
    """Whether a strength is the wanted one or a greater one."""
    return STRENGTHS.index(strength) >= STRENGTHS.index(wanted)


def is_fresh(
    authentications: Iterable[Authentication],
    *,
    now: int,
    within: int,
    strength: Strength = "any",
) -> bool:
    """Whether what was proven not long ago is strong enough by itself.

    Args:
        authentications: all that were given.
        now: unix seconds.
        within: seconds that a proof counts as fresh.
        strength: what the fresh ones must be worth together.
    """
    fresh = [one for one in authentications if now - one.at <= within]
    return bool(fresh) and is_at_least(strength_of(fresh), strength)


def renew(given: tuple[Authentication, ...], again: Authentication) -> tuple[Authentication, ...]:
    """Return authentications with one more, which replaces an older one of its method.

    The new one stands last.
    """
    return (*(one for one in given if one.method not in (again.method, WITHDRAWN)), again)

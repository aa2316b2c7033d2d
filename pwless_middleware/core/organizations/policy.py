"""The policy: what an organization, or the deployment, asks of a login; and what several come to.

A field that is `None` says nothing: what others ask holds. A set that is empty allows nothing.
`stricter` only narrows (security rule 55), in whichever order policies meet.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from functools import reduce
from typing import Final, Literal, TypeVar, get_args

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass

MFA = Literal["off", "optional", "required"]
"""Whether a second factor is asked for: of nobody, of whoever has one, of everybody."""
SSO = Literal["off", "allowed", "required"]
"""Whether people sign in with their company's login: they do not, they can, they have to."""
Join = Literal["domain", "sso", "invitation"]
"""Who becomes a member by signing in: whoever has an address of a verified domain, whoever comes
from the company's login, nobody (only who was invited is one). Each word admits fewer people than
those before it."""

MFA_WORDS: Final[tuple[MFA, ...]] = get_args(MFA)
SSO_WORDS: Final[tuple[SSO, ...]] = get_args(SSO)
JOIN_WORDS: Final[tuple[Join, ...]] = get_args(Join)

FIRST_FACTORS: Final = ("email", "passkey", "sso", "social")
"""The first factors of the product's own features. One of another feature is named as its
authentications are."""
SECOND_FACTORS: Final = ("totp", "sms", "recovery_code", "passkey")
"""The second factors of the product's own features."""

T = TypeVar("T")
W = TypeVar("W", MFA, SSO, Join)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is asked of a login. Every field that is `None` leaves it to others.

    Attributes:
        methods: the first factors that people may sign in with (`first_factor_of`).
        mfa: whether a second factor is asked for.
        second_factors: those that count.
        sso: whether people sign in with their company's login.
        idle: seconds without use after which a session ends.
        absolute: seconds after which it ends whatever happens.
        trusted_days: days for which a browser may be trusted not to ask for a second factor; 0 for
            never.
        join: who becomes a member by signing in.
        break_glass: the addresses that may sign in without their company's login where that is
            required. Who requires it and lists none exempts nobody, whomever others list.
    """

    methods: frozenset[str] | None = None
    mfa: MFA | None = None
    second_factors: frozenset[str] | None = None
    sso: SSO | None = None
    idle: int | None = None
    absolute: int | None = None
    trusted_days: int | None = None
    join: Join | None = None
    break_glass: frozenset[Address] | None = field(default=None, repr=False)


ANYTHING: Final = Policy()
"""The policy that asks for nothing."""


def first_factor_of(method: str) -> str:
    """Return the word that policies have for the first factor of an authentication.

    Args:
        method: of the authentication, e.g. `email_code`.
    """
    return "email" if method in ("email_code", "email_link") else method


def stricter(a: Policy, b: Policy) -> Policy:
    """Return what two policies ask together: never less than either, in whichever order."""
    if b is ANYTHING or a is b:
        return a
    if a is ANYTHING:
        return b
    return Policy(
        methods=_both(a.methods, b.methods),
        mfa=_greater(a.mfa, b.mfa),
        second_factors=_both(a.second_factors, b.second_factors),
        sso=_greater(a.sso, b.sso),
        idle=_smaller(a.idle, b.idle),
        absolute=_smaller(a.absolute, b.absolute),
        trusted_days=_smaller(a.trusted_days, b.trusted_days),
        join=_greater(a.join, b.join),
        break_glass=_both(_exempt(a, b), _exempt(b, a)),
    )


def strictest(policies: Iterable[Policy]) -> Policy:
    """Return what any number of policies ask together; none at all ask for nothing."""
    return reduce(stricter, policies, ANYTHING)


def _exempt(a: Policy, b: Policy) -> frozenset[Address] | None:
    """Return whom a policy exempts from the company's login, where another one exempts somebody.

    A list is an exception from a demand, and belongs to it: who demands the login and exempts
    nobody does not let in whom others list.
    """
    if a.break_glass is None and b.break_glass is not None and a.sso == "required":
        return frozenset()
    return a.break_glass


def _both(a: frozenset[T] | None, b: frozenset[T] | None) -> frozenset[T] | None:
    if a is None or b is None:
        return b if a is None else a  # an empty set is one, and allows nothing
    return a & b


def _smaller(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return a if a <= b else b


_RANKS: Final = {
    word: rank for words in (MFA_WORDS, SSO_WORDS, JOIN_WORDS) for rank, word in enumerate(words)
}
"""Where each word stands among those of its field; one that two fields have stands alike."""


def _greater(a: W | None, b: W | None) -> W | None:
    if a is None or b is None:
        return b if a is None else a
    return a if _RANKS[a] >= _RANKS[b] else b

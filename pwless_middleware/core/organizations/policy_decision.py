"""Whether what somebody has proven comes up to a policy: one table for every method.

    policy, proofs ──▶ decide ──▶ Deny     this login, or this session, is not let in
                             ├──▶ AskStep  one more proof is asked for, or made
                             └──▶ None     nothing is missing

A login asks, the change to another organization asks, a running session asks once it is to be held
to a policy that has become stricter, and "explain" asks: all get the answer of this function
(security rule 55).

A proof counts as a *first factor* where the policy has its method (`Policy.methods`), and as a
*second factor* where the policy has that (`Policy.second_factors`). A passkey with user
verification can be both. One that counts as neither is worth nothing here: a session that such a
proof has kept fresh would be worth more than the policy allows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, Literal, get_args

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.authentication import WITHDRAWN, Authentication
from pwless_middleware.core.logins.proven_factors import (
    counts_as_second,
    factors_of,
    is_login_only,
    is_provider_factor,
    without_foreign_factors,
)
from pwless_middleware.core.organizations.connection import SSO_METHOD, connection_of
from pwless_middleware.core.organizations.policy import (
    FIRST_FACTORS,
    SECOND_FACTORS,
    Policy,
    first_factor_of,
)
from pwless_middleware.errors import LoginDenied
from pwless_middleware.text import Text

Reason = Literal["sso", "connection", "method", "factor", "no_factor"]
"""Why a login is refused: the company's login is required; it was another company's login; the
policy has not this way to sign in; it has not this second factor; a second factor is required, and
there is none that could be asked for."""
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)

TEXTS: Final[dict[Reason, Text]] = {
    "sso": Text("Sign in with your company's login here."),
    "connection": Text("Sign in with the login of this organization here."),
    "method": Text("You cannot sign in this way here. Choose another way."),
    "factor": Text("This second factor does not count here. Use another one."),
    "no_factor": Text("A second factor is required here, and you have none that could be asked."),
}
"""The reasons as the person reads them."""


@dataclass(frozen=True, slots=True)
class Deny:
    """Nobody is let in by this.

    Attributes:
        reason: why.
    """

    reason: Reason

    @property
    def text(self) -> Text:
        """The reason as the person reads it."""
        return TEXTS[self.reason]

    @property
    def error(self) -> LoginDenied:
        """What is raised; its reason is for the log."""
        is_second = self.reason in ("factor", "no_factor")
        reason = "no_second_factor" if is_second else "method_not_allowed"
        return LoginDenied(self.text, reason=reason)


@dataclass(frozen=True, slots=True)
class AskStep:
    """One more proof is asked for.

    Attributes:
        methods: by which it can be given, best first; never empty.
        enrolls: whether the proof is made, by somebody who has none that counts.
    """

    methods: tuple[str, ...]
    enrolls: bool = False


def decide(
    policy: Policy,
    authentications: Sequence[Authentication],
    *,
    email: Address,
    connections: Collection[str] = (),
    has: Sequence[str] = (),
    can_make: Sequence[str] = (),
    is_trusted: bool = False,
) -> Deny | AskStep | None:
    """Return what is missing, or `None`.

    Args:
        policy: what is asked: of all that have a say, together.
        authentications: what is proven, in order; the newest last.
        email: of whom, canonical.
        connections: ids of those whose logins count: of the organization that is entered, and of
            the one that owns the address's domain; where one of them requires its own, that one's.
        has: the second factors that the person can be asked for, best first.
        can_make: those that can be made in a step.
        is_trusted: whether the person trusts the browser, not longer than the policy allows.
    """
    return decide_first_factor(
        policy, authentications, email=email, connections=connections
    ) or decide_second_factor(
        policy,
        without_foreign_factors(authentications, connections),
        email=email,
        has=has,
        can_make=can_make,
        is_trusted=is_trusted,
    )


def decide_first_factor(
    policy: Policy,
    authentications: Sequence[Authentication],
    *,
    email: Address,
    connections: Collection[str] = (),
) -> Deny | None:
    """Return why the way somebody has come in is not one of the policy's, or `None`.

    Args:
        policy, authentications, email, connections: as of `decide`.
    """
    found = [_refuse_first(policy, one, email, connections) for one in authentications]
    newest = authentications[-1] if authentications else None
    if newest is not None and found[-1] is not None and is_login_only(newest):
        return Deny(found[-1])
    if None in found:
        return None
    if policy.sso == "required" and "connection" not in found:
        return Deny("sso")
    return Deny(next((reason for reason in found if reason is not None), "method"))


def decide_second_factor(
    policy: Policy,
    authentications: Sequence[Authentication],
    *,
    email: Address,
    has: Sequence[str] = (),
    can_make: Sequence[str] = (),
    is_trusted: bool = False,
) -> Deny | AskStep | None:
    """Return which second factor is asked for, why there is none, or `None`.

    Args:
        policy, authentications, email, has, can_make, is_trusted: as of `decide`.
    """
    if not wants_second_factor(policy, authentications, email=email):
        return _refuse_newest(policy, authentications)
    is_break_glass = uses_break_glass(policy, authentications, email=email)
    given = {one.method for one in authentications}
    counts = [method for method in has if counts_as_second(policy, method)]
    left = tuple(method for method in counts if method not in given)
    if left:
        return None if is_trusted and not is_break_glass else AskStep(left)
    if counts or is_break_glass:
        # What the login was begun by cannot be its second factor as well. And nobody makes a
        # factor by a mail alone where their company's login is required (security rule 54).
        return Deny("no_factor")
    first = tuple(method for method in has if method not in given)
    if first and len(factors_of(authentications)) < 2:
        # What somebody has is asked for where it does not count itself, too: nobody has to prove
        # less since a policy has become narrower (security rule 55), and nothing is made before
        # (security rule 48).
        is_enough = is_trusted and policy.mfa != "required"
        return None if is_enough else AskStep(first)
    if policy.mfa != "required":
        return None
    makes = tuple(
        method for method in can_make if counts_as_second(policy, method) and method not in given
    )
    return AskStep(makes, enrolls=True) if makes else Deny("no_factor")


def wants_second_factor(
    policy: Policy, authentications: Sequence[Authentication], *, email: Address
) -> bool:
    """Whether a second factor is asked for, of whoever has one: none that counts is given yet.

    Args:
        policy, authentications, email: as of `decide`.
    """
    found = factors_of(authentications, policy)
    if uses_break_glass(policy, authentications, email=email):
        # What the provider says cannot count where it is done without; and it may be another's.
        return sum(not is_provider_factor(factor) for factor in found) < 2
    return len(found) < 2 and policy.mfa is not None and policy.mfa != "off"


def uses_break_glass(
    policy: Policy, authentications: Sequence[Authentication], *, email: Address
) -> bool:
    """Whether somebody comes in by a mail where their company's login is required, and may.

    Also beside a login at a provider: it may be another company's, which lets nobody in here.

    Args:
        policy, authentications, email: as of `decide`.
    """
    if policy.sso != "required" or email not in (policy.break_glass or ()):
        return False
    return any(first_factor_of(one.method) == "email" for one in authentications)


def may_renew(policy: Policy, method: str, *, email: Address) -> bool:
    """Whether a fresh proof by a method may keep a session fresh; by `sso`, one that counts.

    Args:
        policy: as of `decide`.
        method: of the authentication, or the word that policies have for it.
        email: as of `decide`.
    """
    one = Authentication(method, 0)
    if not is_login_only(one):
        return _refuse_newest(policy, [one]) is None
    if method == SSO_METHOD:
        return policy.methods is None or method in policy.methods
    return _refuse_first(policy, one, email, ()) is None


def _refuse_first(
    policy: Policy, one: Authentication, email: Address, connections: Collection[str]
) -> Reason | None:
    """Return why a proof is no first factor, or `None` where it is one."""
    word = first_factor_of(one.method)
    is_first = word in FIRST_FACTORS or word not in (*SECOND_FACTORS, WITHDRAWN)
    if not is_first:
        return "method"
    if word == SSO_METHOD and connection_of(one) not in connections:
        return "connection"
    # The way out where the provider is down is a mail, and no other.
    is_exempt = word == "email" and email in (policy.break_glass or ())
    if policy.sso == "required" and word != SSO_METHOD and not is_exempt:
        return "sso"
    return None if policy.methods is None or word in policy.methods else "method"


def _refuse_newest(policy: Policy, authentications: Sequence[Authentication]) -> Deny | None:
    """Return why the newest proof may not keep a session fresh that is strong without it."""
    if not authentications or is_login_only(authentications[-1]):
        return None  # for `decide_first_factor` to say
    method = authentications[-1].method
    if counts_as_second(policy, method):
        return None
    may_begin = method not in SECOND_FACTORS or method in FIRST_FACTORS
    if may_begin and (policy.methods is None or method in policy.methods):
        return None
    return Deny("factor")

"""Which factors proofs come to, and which of them count as a second one.

A mailbox and a login elsewhere are one factor, however many of them somebody has proven: each is
only a way in. What the provider of a connection says that it asked for is one of its own, where the
connection counts that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from pwless_middleware.core.logins.authentication import WITHDRAWN, Authentication
from pwless_middleware.core.organizations.connection import SOCIAL_METHOD, SSO_METHOD, connection_of
from pwless_middleware.core.organizations.policy import Policy, first_factor_of

_PROVIDER_FACTOR: Final = "mfa:"
"""Begins the factor of a login for which the identity provider has asked for a second one, where
the connection counts that."""
_LOGIN: Final = "login"
"""The one factor that all proofs come to that stand for no second one: to read a mailbox, and to be
let in by a provider, are one thing twice."""


def factors_of(
    authentications: Sequence[Authentication], policy: Policy | None = None
) -> frozenset[str]:
    """Return the factors that proofs come to; two or more are a second factor.

    Args:
        authentications: what is proven.
        policy: whose second factors count; `None` counts all.
    """
    found: set[str] = set()
    for one in authentications:
        if one.method == WITHDRAWN:
            continue
        if is_login_only(one):
            found.add(_LOGIN)
            found.update(factor for factor in one.factors if is_provider_factor(factor))
        elif policy is None or counts_as_second(policy, one.method):
            found.update(one.factors or (one.method,))
        else:
            found.add(_LOGIN)
    return frozenset(found)


def is_login_only(one: Authentication) -> bool:
    """Whether a proof is never a second factor: a mailbox, or a login elsewhere."""
    return first_factor_of(one.method) in ("email", SSO_METHOD, SOCIAL_METHOD)


def counts_as_second(policy: Policy, method: str) -> bool:
    """Whether a policy has a method among its second factors."""
    return policy.second_factors is None or method in policy.second_factors


def is_provider_factor(factor: str) -> bool:
    """Whether a factor is one that an identity provider says it asked for."""
    return factor.startswith(_PROVIDER_FACTOR)


def without_foreign_factors(
    authentications: Sequence[Authentication], connections: Collection[str]
) -> tuple[Authentication, ...]:
    """Return proofs without the second factors that the providers of others say they asked for.

    Whoever runs the provider of one organization says there what they like: in another one it is
    worth no second factor, however else somebody has come in.

    Args:
        authentications: what is proven.
        connections: ids of those whose logins count here.
    """
    return tuple(
        one
        if one.method != SSO_METHOD or connection_of(one) in connections
        else replace(one, factors=tuple(f for f in one.factors if not is_provider_factor(f)))
        for one in authentications
    )

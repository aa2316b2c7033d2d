"""Policies of several come to the stricter one, in whichever order (security rule 55)."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.policy import (
    ANYTHING,
    FIRST_FACTORS,
    JOIN_WORDS,
    MFA_WORDS,
    SECOND_FACTORS,
    SSO_WORDS,
    Policy,
    first_factor_of,
    stricter,
    strictest,
)

ADDRESSES = [Address("ada@acme.example"), Address("bob@acme.example")]
WORDS = {"mfa": MFA_WORDS, "sso": SSO_WORDS, "join": JOIN_WORDS}

policies = st.builds(
    Policy,
    methods=st.none() | st.frozensets(st.sampled_from(FIRST_FACTORS)),
    mfa=st.none() | st.sampled_from(MFA_WORDS),
    second_factors=st.none() | st.frozensets(st.sampled_from(SECOND_FACTORS)),
    sso=st.none() | st.sampled_from(SSO_WORDS),
    idle=st.none() | st.integers(60, 400 * 86400),
    absolute=st.none() | st.integers(60, 400 * 86400),
    trusted_days=st.none() | st.integers(0, 30),
    join=st.none() | st.sampled_from(JOIN_WORDS),
    break_glass=st.none() | st.frozensets(st.sampled_from(ADDRESSES)),
)


@given(policies, policies)
def test_the_order_of_two_does_not_matter(a: Policy, b: Policy) -> None:
    assert stricter(a, b) == stricter(b, a)


@given(policies, policies, policies)
def test_how_three_are_put_together_does_not_matter(a: Policy, b: Policy, c: Policy) -> None:
    assert stricter(stricter(a, b), c) == stricter(a, stricter(b, c)) == strictest([c, a, b])


@given(policies)
def test_nothing_and_the_same_again_change_nothing(a: Policy) -> None:
    assert strictest([]) == ANYTHING
    assert stricter(a, ANYTHING) == stricter(a, a) == a


@given(policies, policies)
def test_the_result_is_never_looser_than_either(a: Policy, b: Policy) -> None:
    both = stricter(a, b)
    for one in (a, b):
        for name in (f.name for f in fields(Policy)):
            asked, result = getattr(one, name), getattr(both, name)
            if asked is None:
                continue
            assert result is not None, name
            if isinstance(asked, frozenset | int):
                assert result <= asked, name
            else:
                assert WORDS[name].index(result) >= WORDS[name].index(asked), name


@given(policies, policies)
def test_a_field_of_the_result_is_what_one_of_them_says(a: Policy, b: Policy) -> None:
    """Nothing is made up: what nobody asks for is not asked for."""
    both = stricter(a, b)
    for name in (f.name for f in fields(Policy)):
        of_a, of_b, result = getattr(a, name), getattr(b, name), getattr(both, name)
        if isinstance(of_a, frozenset) and isinstance(of_b, frozenset):
            assert result == of_a & of_b
        elif name != "break_glass":
            assert result in (of_a, of_b)


def test_an_address_is_exempt_only_from_the_demand_that_lists_it() -> None:
    """Else one customer's list would open another customer's door."""
    demand, listed = Policy(sso="required"), Policy(break_glass=frozenset(ADDRESSES))
    assert stricter(demand, listed).break_glass == frozenset()
    assert stricter(listed, Policy(sso="allowed")).break_glass == frozenset(ADDRESSES)
    assert stricter(demand, Policy(sso="allowed")).break_glass is None


@pytest.mark.parametrize("name", ["methods", "second_factors", "break_glass"])
def test_an_empty_set_allows_nothing_and_none_says_nothing(name: str) -> None:
    some, nothing = _with(name, "a"), _with(name)
    assert getattr(stricter(some, nothing), name) == frozenset()
    assert getattr(stricter(nothing, ANYTHING), name) == frozenset()
    assert getattr(stricter(some, ANYTHING), name) == frozenset(["a"])
    assert getattr(stricter(ANYTHING, ANYTHING), name) is None


def _with(name: str, *words: str) -> Policy:
    fields: dict[str, Any] = {name: frozenset(words)}
    return Policy(**fields)


def test_a_code_and_a_link_are_one_first_factor() -> None:
    assert first_factor_of("email_code") == first_factor_of("email_link") == "email"
    assert first_factor_of("passkey") == "passkey"

"""Verdicts of several rules come to the stricter one, in whichever order they are given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.logins.session import SessionPolicy
from pwless_middleware.core.logins.verdict import Verdict, stricter, strictest
from pwless_middleware.errors import LoginDenied

numbers = st.integers(60, 400 * 86400)
policies = st.tuples(numbers, numbers).map(
    lambda pair: SessionPolicy(idle=min(pair), absolute=max(pair))
)
verdicts = st.builds(
    Verdict,
    session=st.none() | policies,
    organization=st.none() | st.sampled_from(["acme", "bank"]),
)


def outcome(*given: Verdict) -> Verdict | None:
    """Return what verdicts come to, or `None` where they refuse."""
    try:
        return strictest(given)
    except LoginDenied:
        return None


@given(verdicts, verdicts)
def test_the_order_of_two_does_not_matter(a: Verdict, b: Verdict) -> None:
    assert outcome(a, b) == outcome(b, a)


@given(verdicts, verdicts, verdicts)
def test_how_three_are_put_together_does_not_matter(a: Verdict, b: Verdict, c: Verdict) -> None:
    together = outcome(a, b, c)
    first, last = outcome(a, b), outcome(b, c)
    assert together == (outcome(first, c) if first is not None else None)
    assert together == (outcome(a, last) if last is not None else None)


@given(verdicts, verdicts)
def test_the_result_is_never_looser_than_either(a: Verdict, b: Verdict) -> None:
    result = outcome(a, b)
    if result is None:
        assert {a.organization, b.organization} == {"acme", "bank"}
        return
    for one in (a, b):
        if one.session is not None:
            assert result.session is not None
            assert result.session.idle <= one.session.idle
            assert result.session.absolute <= one.session.absolute
        if one.organization is not None:
            assert result.organization == one.organization


@given(verdicts)
def test_nothing_and_the_same_again_change_nothing(a: Verdict) -> None:
    assert strictest([]) == Verdict()
    assert stricter(a, Verdict()) == stricter(a, a) == a


def test_two_organizations_refuse() -> None:
    with pytest.raises(LoginDenied):
        stricter(Verdict(organization="acme"), Verdict(organization="bank"))


@pytest.mark.parametrize("is_first", [True, False])
def test_somebody_is_let_into_the_organization_before_anything_else_is_done_there(
    is_first: bool,
) -> None:
    async def admit() -> None: ...

    async def give_role() -> None: ...

    lets_in = Verdict(organization="acme", admissions=(admit,))
    verdicts = [lets_in, Verdict(admissions=(give_role,))]
    told = strictest(verdicts if is_first else reversed(verdicts))
    assert told.admissions == (admit, give_role)

"""What proofs are worth together, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.logins.authentication import (
    STRENGTHS,
    Authentication,
    Strength,
    is_at_least,
    is_fresh,
    renew,
    strength_of,
)

CODE = Authentication("email_code", 100, ("mailbox",))
LINK = Authentication("email_link", 100, ("mailbox",))
TOTP = Authentication("totp", 100)
SSO = Authentication("sso", 100, ("sso:conn_a",))
SSO_MFA = Authentication("sso", 100, ("sso:conn_a", "mfa:conn_a"))
SOCIAL = Authentication("social", 100, ("social:google",))
PASSKEY = Authentication("passkey", 100, ("passkey", "user_verification"), True)
TOUCHED = Authentication("passkey", 100, ("passkey",), True)
some = st.lists(st.sampled_from([CODE, LINK, TOTP, PASSKEY, TOUCHED]), max_size=4)


@pytest.mark.parametrize(
    ("given", "strength"),
    [
        ([], "any"),
        ([CODE], "any"),
        ([CODE, LINK], "any"),  # one mailbox, read twice
        ([SSO, SOCIAL, LINK], "any"),  # whoever reads it is often let in by the provider
        ([SSO, TOTP], "second_factor"),
        ([SSO_MFA], "second_factor"),
        ([CODE, TOTP], "second_factor"),
        ([PASSKEY], "phishing_resistant"),
        ([TOUCHED], "any"),  # whoever holds the key
        ([TOUCHED, CODE], "phishing_resistant"),
    ],
)
def test_strength_counts_factors_not_methods(
    given: list[Authentication], strength: Strength
) -> None:
    assert strength_of(given) == strength


@given(some, some)
def test_more_proofs_are_never_worth_less(a: list[Authentication], b: list[Authentication]) -> None:
    assert is_at_least(strength_of([*a, *b]), strength_of(a))


def test_each_strength_includes_those_before_it() -> None:
    for at, strength in enumerate(STRENGTHS):
        assert [is_at_least(strength, each) for each in STRENGTHS] == [
            place <= at for place in range(len(STRENGTHS))
        ]


def test_an_old_factor_does_not_lend_its_strength_to_a_fresh_one() -> None:
    both = [CODE, Authentication("totp", 50)]
    assert is_fresh(both, now=160, within=60)
    assert is_fresh(both, now=110, within=60, strength="second_factor")
    assert not is_fresh(both, now=160, within=60, strength="second_factor")
    assert not is_fresh(both, now=161, within=60)
    assert not is_fresh([], now=0, within=60)


def test_a_fresh_proof_takes_the_place_of_the_older_one_of_its_method() -> None:
    again = Authentication("email_code", 200, ("mailbox",))
    assert renew((CODE, TOTP), again) == (TOTP, again)
    assert renew((CODE,), TOTP) == (CODE, TOTP)

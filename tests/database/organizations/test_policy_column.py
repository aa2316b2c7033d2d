"""A policy comes out of a column as it went in: what is empty is not what is left to others."""

from __future__ import annotations

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.policy import ANYTHING, Policy
from pwless_middleware.database.organizations.policy_column import pack_policy, unpack_policy


@pytest.mark.parametrize(
    ("policy", "text"),
    [
        (ANYTHING, "{}"),
        (Policy(methods=frozenset()), '{"methods":[]}'),
        (Policy(trusted_days=0, join="sso"), '{"trusted_days":0,"join":"sso"}'),
        (Policy(methods=frozenset({"sso", "email"})), '{"methods":["email","sso"]}'),
        (
            Policy(
                methods=frozenset({"email"}),
                mfa="off",
                second_factors=frozenset({"totp"}),
                sso="allowed",
                idle=60,
                absolute=600,
                trusted_days=3,
                join="domain",
                break_glass=frozenset({Address("jo@acme.example")}),
            ),
            '{"methods":["email"],"mfa":"off","second_factors":["totp"],"sso":"allowed",'
            '"idle":60,"absolute":600,"trusted_days":3,"join":"domain",'
            '"break_glass":["jo@acme.example"]}',
        ),
    ],
    ids=["anything", "nothing", "zero", "sorted", "all"],
)
def test_it_comes_out_as_it_went_in(policy: Policy, text: str) -> None:
    assert pack_policy(policy) == text
    assert unpack_policy(text) == policy

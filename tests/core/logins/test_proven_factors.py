"""What proofs come to: two ways in are one factor, and a second one has to count."""

from __future__ import annotations

import pytest

from pwless_middleware.core.logins.authentication import WITHDRAWN, Authentication
from pwless_middleware.core.logins.proven_factors import factors_of, without_foreign_factors
from pwless_middleware.core.organizations.policy import Policy

CODE = Authentication("email_code", 100, ("mailbox",))
LINK = Authentication("email_link", 100, ("mailbox",))
PASSKEY = Authentication("passkey", 100, ("passkey", "user_verification"), True)
SSO = Authentication("sso", 100, ("sso:conn_a", "mfa:conn_a"))
SOCIAL = Authentication("social", 100, ("social:google",))
TOTP = Authentication("totp", 100)
GONE = Authentication(WITHDRAWN, 100)


@pytest.mark.parametrize(
    ("proofs", "policy", "count"),
    [
        ((), None, 0),
        ((GONE,), None, 0),
        ((CODE, LINK, SOCIAL), None, 1),
        ((CODE, TOTP), None, 2),
        ((CODE, TOTP), Policy(second_factors=frozenset(["passkey"])), 1),
        ((PASSKEY,), None, 2),
        ((PASSKEY,), Policy(second_factors=frozenset(["totp"])), 1),
        ((SSO,), None, 2),
    ],
)
def test_two_factors_are_two_different_things(
    proofs: tuple[Authentication, ...], policy: Policy | None, count: int
) -> None:
    assert len(factors_of(proofs, policy)) == count


def test_what_a_provider_says_counts_for_its_own_connection_alone() -> None:
    assert without_foreign_factors((CODE, SSO), ["conn_a"]) == (CODE, SSO)
    (code, sso) = without_foreign_factors((CODE, SSO), ["conn_b"])
    assert code == CODE
    assert len(factors_of((sso,))) == 1

"""What policies of several features come to, however often it is asked (security rule 55)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.organizations.policy import Policy, stricter
from pwless_middleware.flows.logins.login_rules import LoginRules
from pwless_middleware.flows.logins.policies import Policies
from tests.core.organizations.test_policy import policies


@given(st.lists(policies, min_size=2, max_size=6))
def test_what_two_come_to_is_the_stricter_of_them_again_and_again(given: list[Policy]) -> None:
    kept = Policies(LoginRules())
    for _ in range(2):
        for a in given:
            for b in given:
                assert kept.merge(a, b) == stricter(a, b)


def test_a_policy_that_comes_after_another_is_not_taken_for_it() -> None:
    """What is new may stand where something was in memory that nobody holds any more."""
    kept = Policies(LoginRules())
    base = Policy(idle=600)
    for idle in range(60, 3000):
        assert kept.merge(base, Policy(idle=idle)).idle == min(idle, 600)
    assert len(kept._merged) <= 1_000


def test_the_methods_of_mounted_features_are_known() -> None:
    rules = LoginRules()
    rules.owners.update(email_code="E", email_link="E", totp="F", sso="S", badge="B", passkey="P")
    kept = Policies(rules)
    assert kept.ways == ("email", "passkey", "sso", "badge")
    assert kept.are_proven_by("totp")
    assert not kept.are_proven_by("social")

"""What is missing to come up to a policy: one table for every way in (security rule 55)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.logins.authentication import WITHDRAWN, Authentication
from pwless_middleware.core.organizations.policy import (
    ANYTHING,
    FIRST_FACTORS,
    MFA,
    SECOND_FACTORS,
    Policy,
    stricter,
)
from pwless_middleware.core.organizations.policy import SSO as SSOWord
from pwless_middleware.core.organizations.policy_decision import (
    REASONS,
    TEXTS,
    AskStep,
    Deny,
    decide,
)
from tests.core.organizations.test_policy import ADDRESSES, policies

ADA = ADDRESSES[0]
CODE = Authentication("email_code", 100, ("mailbox",))
LINK = Authentication("email_link", 100, ("mailbox",))
PASSKEY = Authentication("passkey", 100, ("passkey", "user_verification"), True)
TOUCHED = Authentication("passkey", 100, ("passkey",), True)
SSO = Authentication("sso", 100, ("sso:conn_a",))
SSO_MFA = Authentication("sso", 100, ("sso:conn_a", "mfa:conn_a"))
OTHER_SSO = Authentication("sso", 100, ("sso:conn_b",))
SOCIAL = Authentication("social", 100, ("social:google",))
TOTP = Authentication("totp", 100)
SMS = Authentication("sms", 100, ("sms", "session"))
RECOVERY = Authentication("recovery_code", 100)
GONE = Authentication(WITHDRAWN, 100)
FIRST = (CODE, LINK, PASSKEY, SSO, SOCIAL)

EVERYTHING = ["totp", "sms", "recovery_code"]
PASSKEYS, TOTPS = frozenset(["passkey"]), frozenset(["totp"])


def ask(
    policy: Policy, *proofs: Authentication, email: Address = ADA, **options: object
) -> Deny | AskStep | None:
    """Return what is missing, where the logins of one connection count."""
    return decide(policy, proofs, email=email, connections=["conn_a"], **options)  # type: ignore[arg-type]


def required(*second_factors: str) -> Policy:
    """Return the policy that requires a second factor, of these alone if any are named."""
    return Policy(mfa="required", second_factors=frozenset(second_factors) or None)


# --- the way in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("proof", FIRST, ids=lambda proof: str(proof.method))
def test_who_asks_for_nothing_lets_everybody_in(proof: Authentication) -> None:
    assert ask(ANYTHING, proof) is None


@pytest.mark.parametrize("proof", FIRST, ids=lambda proof: str(proof.method))
@pytest.mark.parametrize("word", FIRST_FACTORS)
def test_a_way_in_that_the_policy_has_not_is_refused(word: str, proof: Authentication) -> None:
    is_same = proof.method.partition("_")[0] == word
    assert ask(Policy(methods=frozenset([word])), proof) == (None if is_same else Deny("method"))


@pytest.mark.parametrize("proof", FIRST, ids=lambda proof: str(proof.method))
def test_no_methods_at_all_let_nobody_in(proof: Authentication) -> None:
    assert ask(Policy(methods=frozenset()), proof) == Deny("method")


@pytest.mark.parametrize("proof", [TOTP, SMS, RECOVERY, GONE], ids=lambda proof: str(proof.method))
def test_a_second_factor_alone_lets_nobody_in(proof: Authentication) -> None:
    assert ask(ANYTHING, proof) == Deny("method")
    assert ask(Policy(methods=frozenset([proof.method])), proof) == Deny("method")


def test_no_proof_lets_nobody_in() -> None:
    assert ask(ANYTHING) == Deny("method")


def test_a_session_may_be_kept_fresh_only_by_a_way_that_the_policy_has() -> None:
    policy = Policy(methods=PASSKEYS)
    assert ask(policy, CODE, PASSKEY) is None
    assert ask(policy, PASSKEY, CODE) == Deny("method")
    assert ask(Policy(methods=PASSKEYS), PASSKEY, TOTP) is None


# --- the company's login -------------------------------------------------------------------------

SSO_ONLY = Policy(sso="required")


@pytest.mark.parametrize(
    "proof", [CODE, LINK, PASSKEY, SOCIAL], ids=lambda proof: str(proof.method)
)
def test_where_the_companys_login_is_required_nothing_else_lets_in(proof: Authentication) -> None:
    assert ask(SSO_ONLY, proof) == Deny("sso")
    assert ask(SSO_ONLY, proof, TOTP) == Deny("sso")
    assert ask(SSO_ONLY, SSO, proof) == (None if proof == PASSKEY else Deny("sso"))


def test_it_is_the_login_of_this_company() -> None:
    for policy in (ANYTHING, SSO_ONLY):
        assert ask(policy, SSO) is None
        assert ask(policy, OTHER_SSO) == Deny("connection")
    assert ask(SSO_ONLY, Authentication("sso", 100)) == Deny("connection")
    assert decide(SSO_ONLY, [SSO], email=ADA) == Deny("connection")


def test_allowed_and_off_ask_for_nothing() -> None:
    words: tuple[SSOWord, ...] = ("off", "allowed")
    for word in words:
        assert ask(Policy(sso=word), CODE) is None


BREAK_GLASS = Policy(sso="required", break_glass=frozenset([ADA]))


def test_a_break_glass_address_comes_in_by_mail_and_a_second_factor() -> None:
    assert ask(BREAK_GLASS, CODE, has=["totp"]) == AskStep(("totp",))
    assert ask(BREAK_GLASS, CODE, TOTP, has=["totp"]) is None
    assert ask(BREAK_GLASS, CODE, email=ADDRESSES[1], has=["totp"]) == Deny("sso")
    assert ask(BREAK_GLASS, SOCIAL, TOTP, has=["totp"]) == Deny("sso")


def test_there_trust_and_the_rule_of_second_factors_do_not_count() -> None:
    off = stricter(BREAK_GLASS, Policy(mfa="off"))
    assert ask(off, CODE, has=["totp"], is_trusted=True) == AskStep(("totp",))


def test_nor_does_what_another_companys_provider_says() -> None:
    """Else its administrators could come in by a mail alone, as whoever is listed here."""
    says_mfa = Authentication("sso", 100, ("sso:conn_b", "mfa:conn_b"))
    for proof in (OTHER_SSO, says_mfa):
        assert ask(BREAK_GLASS, proof, CODE, has=["totp"]) == AskStep(("totp",))
        assert ask(BREAK_GLASS, proof, CODE, TOTP, has=["totp"]) is None


def test_nor_does_what_their_own_provider_says() -> None:
    """It is done without: what it says of a second factor may be what has failed."""
    assert ask(BREAK_GLASS, SSO_MFA, CODE, has=["totp"]) == AskStep(("totp",))
    assert ask(BREAK_GLASS, SSO_MFA, CODE, TOTP, has=["totp"]) is None


@pytest.mark.parametrize("policy", [required(), Policy(mfa="optional")], ids=["must", "may"])
def test_what_another_companys_provider_says_is_no_second_factor_anywhere(policy: Policy) -> None:
    """Else who is signed in there needs no more than a mail to enter a stricter organization."""
    says_mfa = Authentication("sso", 100, ("sso:conn_b", "mfa:conn_b"))
    assert ask(policy, says_mfa, CODE, has=["totp"]) == AskStep(("totp",))
    assert ask(policy, says_mfa, CODE, TOTP, has=["totp"]) is None
    assert ask(policy, SSO_MFA, CODE, has=["totp"]) is None


def test_who_has_no_second_factor_does_not_make_one_there() -> None:
    policy = stricter(BREAK_GLASS, required())
    assert ask(policy, CODE, can_make=["totp"]) == Deny("no_factor")
    assert ask(BREAK_GLASS, CODE, can_make=["totp"]) == Deny("no_factor")


def test_whoever_is_listed_is_not_asked_for_more_at_the_companys_login() -> None:
    assert ask(BREAK_GLASS, SSO) is None


# --- the second factor ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mfa", "has", "result"),
    [
        (None, ["totp"], None),
        ("off", ["totp"], None),
        ("optional", [], None),
        ("optional", ["totp"], AskStep(("totp",))),
        ("required", ["totp"], AskStep(("totp",))),
        ("required", [], AskStep(("totp", "passkey"), enrolls=True)),
    ],
)
def test_who_is_asked_for_one(mfa: MFA | None, has: list[str], result: AskStep | None) -> None:
    assert ask(Policy(mfa=mfa), CODE, has=has, can_make=["totp", "passkey"]) == result


def test_a_passkey_that_has_checked_who_holds_it_is_both() -> None:
    assert ask(required(), PASSKEY, has=["passkey", "totp"]) is None
    assert ask(required(), TOUCHED, has=["passkey", "totp"]) == AskStep(("totp",))
    assert ask(required(), TOUCHED, has=["passkey"]) == Deny("no_factor")


def test_two_ways_in_are_not_two_factors() -> None:
    assert ask(required(), SSO, SOCIAL, CODE, has=["totp"]) == AskStep(("totp",))


def test_what_the_provider_asked_for_counts_where_the_connection_says_so() -> None:
    assert ask(required(), SSO, has=["totp"]) == AskStep(("totp",))
    assert ask(required(), SSO_MFA, has=["totp"]) is None


def test_only_the_policys_own_second_factors_count() -> None:
    policy = required("totp")
    assert ask(policy, CODE, SMS, has=["totp", "sms"]) == AskStep(("totp",))
    assert ask(policy, PASSKEY, has=["totp", "passkey"]) == AskStep(("totp",))
    assert ask(policy, CODE, TOTP, has=["totp", "sms"]) is None
    assert ask(policy, CODE, has=EVERYTHING) == AskStep(("totp",))


def test_what_somebody_has_is_proven_before_they_make_what_counts() -> None:
    policy = required("totp")
    assert ask(policy, CODE, has=["sms"], can_make=["totp"]) == AskStep(("sms",))
    assert ask(policy, CODE, has=["sms"], can_make=["totp"], is_trusted=True) == AskStep(("sms",))
    made = AskStep(("totp",), enrolls=True)
    assert ask(policy, CODE, SMS, has=["sms"], can_make=["totp", "passkey"]) == made
    assert ask(policy, PASSKEY, has=["passkey"], can_make=["totp"]) == made
    assert ask(policy, CODE, SMS, has=["sms"], can_make=["passkey"]) == Deny("no_factor")


def test_a_trusted_browser_is_not_asked() -> None:
    assert ask(required(), CODE, has=["totp"], is_trusted=True) is None
    assert ask(required(), CODE, can_make=["totp"], is_trusted=True) == made()


def made() -> AskStep:
    """Return the step in which an app is added."""
    return AskStep(("totp",), enrolls=True)


def test_a_session_is_not_kept_strong_by_what_does_not_count() -> None:
    assert ask(required("totp"), CODE, TOTP, SMS, has=["totp", "sms"]) == Deny("factor")
    assert ask(required("totp"), CODE, SMS, TOTP, has=["totp", "sms"]) is None


# --- the algebra ---------------------------------------------------------------------------------

proofs = st.lists(
    st.sampled_from([*FIRST, TOUCHED, SSO_MFA, OTHER_SSO, TOTP, SMS, RECOVERY, GONE]), max_size=3
)
factors = st.lists(st.sampled_from(SECOND_FACTORS), unique=True, max_size=3)


def rank(answer: Deny | AskStep | None) -> int:
    """Return how much an answer asks for."""
    if answer is None:
        return 0
    return 2 if isinstance(answer, Deny) else 1


@given(policies, policies, proofs, factors, factors, st.booleans(), st.sampled_from(ADDRESSES))
def test_together_two_policies_let_nobody_in_whom_one_keeps_out(
    a: Policy,
    b: Policy,
    given: list[Authentication],
    has: list[str],
    can_make: list[str],
    is_trusted: bool,
    email: Address,
) -> None:
    options = {"email": email, "has": has, "can_make": can_make, "is_trusted": is_trusted}
    together = ask(stricter(a, b), *given, **options)  # type: ignore[arg-type]
    for one in (a, b):
        alone = ask(one, *given, **options)  # type: ignore[arg-type]
        if alone == Deny("no_factor"):  # another one may be asked for, where others count
            assert together is not None
        elif alone != Deny("factor"):  # of a fresh proof, which is worth less together
            assert rank(together) >= rank(alone)


@given(policies, proofs, factors, factors)
def test_nobody_is_asked_for_what_they_have_not_or_have_given(
    policy: Policy, given: list[Authentication], has: list[str], can_make: list[str]
) -> None:
    answer = ask(policy, *given, has=has, can_make=can_make)
    if isinstance(answer, AskStep):
        assert answer.methods
        assert set(answer.methods) <= set(can_make if answer.enrolls else has)
        assert not set(answer.methods) & {one.method for one in given}


def test_every_reason_has_its_sentence() -> None:
    assert set(REASONS) == set(TEXTS)
    assert Deny("sso").text == "Sign in with your company's login here."

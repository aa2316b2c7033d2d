"""Policies as JSON: what is read is what is shown, and every fault is named with its field."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from pwless_middleware.core.organizations.policy import ANYTHING, Policy
from pwless_middleware.core.organizations.policy_json import (
    FIELDS,
    change_policy,
    find_contradictions,
    policy_from_json,
    policy_to_json,
)
from pwless_middleware.errors import InvalidArgument
from tests.core.organizations.test_policy import ADDRESSES, policies

DEMAND = Policy(sso="required", methods=frozenset(["email", "sso"]))


@given(policies)
def test_what_is_shown_is_read_as_the_same(policy: Policy) -> None:
    shown = json.loads(json.dumps(policy_to_json(policy)))
    assert list(shown) == list(FIELDS)
    if find_contradictions(policy):
        with pytest.raises(InvalidArgument):
            policy_from_json(shown)
    else:
        assert policy_from_json(shown) == policy


def test_nothing_and_null_leave_it_to_others_and_an_empty_list_does_not() -> None:
    assert policy_from_json({}) == policy_from_json(dict.fromkeys(FIELDS)) == ANYTHING
    assert policy_from_json({"methods": []}) == Policy(methods=frozenset())


def test_a_change_leaves_what_it_does_not_name() -> None:
    policy = Policy(mfa="required", idle=600)
    assert change_policy(policy, {"mfa": None}) == Policy(idle=600)
    assert change_policy(policy, {"trusted_days": 0}) == Policy(
        mfa="required", idle=600, trusted_days=0
    )


def test_addresses_are_kept_canonical() -> None:
    read = policy_from_json({"break_glass": [" ADA@Acme.example ", ADDRESSES[1]]})
    assert read.break_glass == frozenset(ADDRESSES)


def test_a_number_may_come_as_text_as_protobuf_writes_it() -> None:
    assert policy_from_json({"idle": "600"}) == Policy(idle=600)


@pytest.mark.parametrize(
    ("value", "field", "constraint"),
    [
        ([], "policy", "object"),
        ("required", "policy", "object"),
        ({"nfa": "required"}, "policy.nfa", "unknown"),
        ({"mfa": "Required"}, "policy.mfa", "enum"),
        ({"mfa": 1}, "policy.mfa", "enum"),
        ({"sso": []}, "policy.sso", "enum"),
        ({"join": "off"}, "policy.join", "enum"),
        ({"idle": 59}, "policy.idle", "range"),
        ({"idle": True}, "policy.idle", "range"),
        ({"idle": 600.0}, "policy.idle", "range"),
        ({"idle": "600s"}, "policy.idle", "range"),
        ({"absolute": 400 * 86400 + 1}, "policy.absolute", "range"),
        ({"trusted_days": 31}, "policy.trusted_days", "range"),
        ({"trusted_days": -1}, "policy.trusted_days", "range"),
        ({"methods": "email"}, "policy.methods", "array"),
        ({"methods": [["email"]]}, "policy.methods", "array"),
        ({"methods": ["E-mail"]}, "policy.methods", "word"),
        ({"methods": ["email\n"]}, "policy.methods", "word"),
        ({"methods": ["totp"]}, "policy.methods", "first_factor"),
        ({"methods": [f"m{n}" for n in range(21)]}, "policy.methods", "most"),
        ({"break_glass": ["ada"]}, "policy.break_glass", "email"),
        ({"idle": 601, "absolute": 600}, "policy.idle", "range"),
        ({"sso": "required", "methods": ["email"]}, "policy.methods", "sso"),
        ({"sso": "allowed", "methods": ["email"]}, "policy.methods", "sso"),
        ({"sso": "required", "methods": ["sso"]}, "policy.methods", "email"),
        ({"mfa": "required", "second_factors": []}, "policy.second_factors", "second_factors"),
        ({"mfa": "required", "second_factors": ["sms"]}, "policy.second_factors", "second_factors"),
    ],
)
def test_a_fault_is_named_with_its_field(value: object, field: str, constraint: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        policy_from_json(value)
    violations = caught.value.violations
    assert [(one.field, one.constraint) for one in violations] == [(field, constraint)]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidArgument) as caught:
        policy_from_json({"mfa": "yes", "idle": 0, "methods": []}, field="")
    assert [one.field for one in caught.value.violations] == ["mfa", "idle"]


def test_a_change_may_not_contradict_what_stays() -> None:
    assert find_contradictions(DEMAND) == []
    with pytest.raises(InvalidArgument):
        change_policy(DEMAND, {"methods": ["email"]})

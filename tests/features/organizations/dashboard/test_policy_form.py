"""The form of a policy, and what a change of it would do."""

from __future__ import annotations

import pytest

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.organizations.policy import ANYTHING, Policy
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.organizations.dashboard.policy_effects import describe
from pwless_middleware.features.organizations.dashboard.policy_form import (
    make_fields,
    read_policy,
    write_policy,
)
from pwless_middleware.web.responses.policy_words import TITLES, name_held

BOSS, KIM = Address("boss@acme.example"), Address("kim@acme.example")
FULL = Policy(
    methods=frozenset({"passkey", "sso", "smart_card"}),
    mfa="required",
    second_factors=frozenset({"totp"}),
    sso="allowed",
    idle=5400,
    absolute=86_400,
    trusted_days=0,
    join="sso",
    break_glass=frozenset({KIM, BOSS}),
)
NOTHING = Policy(
    methods=frozenset(), second_factors=frozenset(), break_glass=frozenset(), trusted_days=0
)


def test_what_a_form_shows_is_what_is_read_from_it() -> None:
    assert read_policy(write_policy(FULL)) == {
        "methods": ["passkey", "smart_card", "sso"],
        "sso": "allowed",
        "break_glass": [BOSS, KIM],
        "mfa": "required",
        "second_factors": ["totp"],
        "trusted_days": 0,
        "idle": 5400,
        "absolute": 86_400,
        "join": "sso",
    }


def test_an_empty_list_is_not_the_same_as_none() -> None:
    told = {"methods": [], "second_factors": [], "break_glass": [], "trusted_days": 0}
    assert read_policy(write_policy(NOTHING)) == told
    assert read_policy(write_policy(ANYTHING)) == {}
    by_name = {field.name: field for field in make_fields(NOTHING, ANYTHING)}
    assert by_name["methods"].is_own
    by_name = {field.name: field for field in make_fields(ANYTHING, ANYTHING)}
    assert not by_name["methods"].is_own


def test_boxes_count_only_where_the_organization_says_something() -> None:
    form = {"methods:own": "no", "methods:email": "on", "break_glass:own": "no", "break_glass": KIM}
    assert read_policy(form) == {}


def test_the_form_shows_what_was_sent_and_what_others_ask() -> None:
    form = {"mfa": "required", "idle": "x", "methods:own": "yes", "methods:passkey": "on"}
    shown = make_fields(FULL, Policy(mfa="optional"), form=form, problems={"idle": "No."})
    by_name = {field.name: field for field in shown}
    assert [one.value for one in by_name["mfa"].choices if one.chosen] == ["required"]
    assert by_name["mfa"].inherited == "Asked of whoever has one"
    assert by_name["idle"].value == "x"
    assert by_name["idle"].problem == "No."
    assert [one.value for one in by_name["methods"].choices if one.chosen] == ["passkey"]
    # A factor of a host's own feature can be taken out again.
    assert "smart_card" in [one.value for one in by_name["methods"].choices]


@pytest.mark.parametrize("text", ["-1", "1.5", "1e3", "٣", "x", "9" * 10])
def test_what_is_no_whole_number_is_told(text: str) -> None:
    for name in ("idle", "absolute", "trusted_days"):
        with pytest.raises(InvalidArgument) as refused:
            read_policy({name: text, f"{name}:unit": "hours"})
        assert [one.field for one in refused.value.violations] == [name]


def test_a_unit_that_there_is_not_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        read_policy({"idle": "1", "idle:unit": "weeks"})


@pytest.mark.parametrize(
    ("old", "new", "is_loosening"),
    [
        (Policy(mfa="required"), Policy(mfa="optional"), True),
        (Policy(mfa="optional"), Policy(mfa="required"), False),
        (Policy(mfa="required"), ANYTHING, True),
        (Policy(methods=frozenset({"sso"})), Policy(methods=frozenset({"sso", "email"})), True),
        (Policy(methods=frozenset({"sso", "email"})), Policy(methods=frozenset({"sso"})), False),
        (Policy(methods=frozenset()), ANYTHING, True),
        (ANYTHING, Policy(methods=frozenset()), False),
        (Policy(idle=60), Policy(idle=3600), True),
        (Policy(idle=60), ANYTHING, True),
        (ANYTHING, Policy(idle=60), False),
        (Policy(join="invitation"), Policy(join="domain"), True),
        # Whoever is added can go around the company's login.
        (ANYTHING, Policy(break_glass=frozenset({KIM})), True),
        (Policy(break_glass=frozenset({KIM})), ANYTHING, False),
    ],
)
def test_what_asks_for_less_is_marked(old: Policy, new: Policy, is_loosening: bool) -> None:
    (effect,) = describe(old, new, ANYTHING)
    assert effect.is_loosening is is_loosening


def test_only_what_changes_is_told_with_what_holds_in_the_end() -> None:
    effects = describe(Policy(mfa="off", idle=60), Policy(mfa="optional", idle=60), FULL)
    assert [(one.name, one.new, one.holds) for one in effects] == [
        ("mfa", "Asked of whoever has one", "Required of everybody")
    ]


def test_what_shuts_everybody_out_is_told() -> None:
    (effect,) = describe(ANYTHING, Policy(sso="required"), ANYTHING)
    assert "Everybody but" in effect.warning
    (effect,) = describe(ANYTHING, Policy(methods=frozenset()), ANYTHING)
    assert "Nobody" in effect.warning
    # So it is where the organization's own list has nothing in common with the deployment's.
    inherited = Policy(methods=frozenset({"sso"}))
    (effect,) = describe(ANYTHING, Policy(methods=frozenset({"email"})), inherited)
    assert "Nobody" in effect.warning
    effects = describe(ANYTHING, Policy(sso="required", methods=frozenset({"email"})), ANYTHING)
    assert all("nobody could sign in" in one.warning for one in effects)
    (effect,) = describe(Policy(second_factors=frozenset()), Policy(
        second_factors=frozenset(), mfa="required"), ANYTHING)  # fmt: skip
    assert "none counts" in effect.warning


def test_what_holds_is_told_where_nobody_says_anything_too() -> None:
    held = {name: name_held(name, getattr(ANYTHING, name)) for name in TITLES}
    assert held["join"] == "Only who was invited"
    assert held["methods"] == "All that there are"
    assert held["sso"] == "Allowed", "by a connection that is turned on"
    assert held["break_glass"] == "None"
    assert name_held("join", "domain") == "Whoever has an address of a verified domain"

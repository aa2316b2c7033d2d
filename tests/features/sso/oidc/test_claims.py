"""What is read of a person."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware.features.sso.oidc.claims import read_person
from pwless_middleware.features.sso.oidc.settings import OIDCSettings
from pwless_middleware.features.sso.person import ProviderPerson, role_of


def settings(**more: Any) -> OIDCSettings:
    return OIDCSettings(issuer="https://login.acme.example", client_id="x", **more)


def read(claims: dict[str, Any], **more: Any) -> ProviderPerson:
    return read_person(settings(**more), "jo", claims, {})


def test_names_and_addresses_are_as_here() -> None:
    person = read({"email": "Jo@Acme.Example", "name": "  Jo\n Doe\u202e "})
    assert (person.email, person.name) == ("jo@acme.example", "Jo Doe")


@pytest.mark.parametrize(
    "email", [None, "", "jo", "jo@acme.example, boss@acme.example", ["jo@acme.example"], 7,
              "jo@acme.example\n", "=?utf-8?q?jo?=@acme.example"]
)  # fmt: skip
def test_what_is_no_address_is_none(email: object) -> None:
    assert read({"email": email}).email is None


@pytest.mark.parametrize(
    ("said", "known"),
    [(True, True), ("true", True), (1, True), (False, False), ("false", False), (0, False),
     (None, None), ("yes", False), ([True], False), ({}, False)],
)  # fmt: skip
def test_an_address_is_verified_only_where_it_is_said(said: object, known: bool | None) -> None:
    assert read({"email": "jo@acme.example", "email_verified": said}).is_email_verified is known


def test_claims_are_found_by_name_and_by_path() -> None:
    claims = {
        "upn": "jo@acme.example",
        "realm_access": {"roles": ["admins"]},
        "https://acme.example/groups": ["staff"],
        "cognito:groups": "one",
    }
    assert read(claims, email_claim="upn").email == "jo@acme.example"
    for name, groups in (
        ("realm_access.roles", ("admins",)),
        ("https://acme.example/groups", ("staff",)),
        ("cognito:groups", ("one",)),
        ("upn.x", ()),
        ("missing", ()),
    ):
        assert read(claims, groups_claim=name).groups == groups


def test_groups_are_bounded_and_texts() -> None:
    groups = [1, None, "a", "", "b" * 257, {"c": 1}, *(str(n) for n in range(5000))]
    found = read({"groups": groups}).groups
    assert found[0] == "a"
    assert len(found) <= 1000


def test_the_first_pair_that_fits_gives_the_role() -> None:
    mapped = (("admins", "owner"), ("staff", "editor"))
    assert role_of(("staff", "admins"), mapped, "reader") == "owner"
    assert role_of(("staff",), mapped, "reader") == "editor"
    assert role_of(("Admins",), mapped, "reader") == "reader"
    assert role_of((), mapped, None) is None
    assert role_of((), (), "") == ""


@pytest.mark.parametrize(
    ("claims", "has"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "mfa"}, False),
        ({"acr": "http://schemas.openid.net/pape/policies/2007/06/multi-factor"}, True),
        ({"acr": "1"}, False),
        ({"acr": ["phr"]}, False),
        ({}, False),
    ],
)
def test_a_second_factor_counts_where_the_token_says_so(claims: dict[str, Any], has: bool) -> None:
    assert read(claims).has_mfa is has
    assert not read_person(settings(), "jo", {}, claims).has_mfa, "userinfo says nothing of a login"

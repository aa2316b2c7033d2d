"""A person is who the provider names for good; the rest is read by the names providers have."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.person import ProviderPerson
from pwless_middleware.features.sso.saml.person import read_person
from pwless_middleware.features.sso.saml.responses import verify_response
from tests.identity_providers.saml import ASSERTION, NOW, SERVICE, SAMLProvider

IDP = SAMLProvider()
CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
MICROSOFT = "http://schemas.microsoft.com"
FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format"


def read(*, set_to: dict[str, Any] | None = None, **given: Any) -> ProviderPerson:
    settings = IDP.settings(**set_to or {})
    assertion = verify_response(
        IDP.answer(**given), settings, SERVICE, request_id="_request", now=NOW
    )
    return read_person(settings, assertion)


def fault_of(**given: Any) -> str:
    with pytest.raises(SSOFault) as caught:
        read(**given)
    return caught.value.code


ENTRA = {
    f"{CLAIMS}/emailaddress": ["Ada@Acme.example"],
    f"{CLAIMS}/name": ["ada_acme.example#EXT#@tenant.onmicrosoft.com"],
    f"{CLAIMS}/givenname": ["Ada"],
    f"{CLAIMS}/surname": ["Lovelace"],
    f"{MICROSOFT}/identity/claims/objectidentifier": ["0b1e"],
    f"{MICROSOFT}/ws/2008/06/identity/claims/groups": ["g-1", "g-2"],
    f"{MICROSOFT}/claims/authnmethodsreferences": [
        "urn:oasis:names:tc:SAML:2.0:ac:classes:Password",
        f"{MICROSOFT}/claims/multipleauthn",
    ],
}
OKTA = {"email": ["ada@acme.example"], "firstName": ["Ada"], "lastName": ["Lovelace"],
        "groups": ["Everyone"]}  # fmt: skip
SHIBBOLETH = {
    "urn:oid:0.9.2342.19200300.100.1.3": ["ada@acme.example"],
    "urn:oid:2.16.840.1.113730.3.1.241": ["Ada Lovelace"],
}


@pytest.mark.parametrize("attributes", [ENTRA, OKTA, SHIBBOLETH], ids=["Entra", "Okta", "other"])
def test_the_names_that_providers_have_are_known(attributes: dict[str, list[str]]) -> None:
    person = read(attributes=attributes)
    assert person.subject == "u-1001"
    assert person.email == "ada@acme.example"
    assert person.is_email_verified is None
    assert person.name == "Ada Lovelace"
    assert person.authenticated_at == NOW


def test_groups_and_a_second_factor_are_read() -> None:
    person = read(attributes=ENTRA)
    assert person.groups == ("g-1", "g-2")
    assert person.has_mfa
    assert not read(attributes=OKTA).has_mfa
    assert read(context="https://refeds.org/profile/mfa").has_mfa


def test_attributes_of_other_names_are_read_where_the_connection_says_so() -> None:
    attributes = {"Mail": ["b@acme.example"], "email": ["a@acme.example"], "who": ["B"],
                  "teams": ["x"], "oid": ["7"]}  # fmt: skip
    names = {"email_attribute": "Mail", "name_attribute": "who", "groups_attribute": "teams",
             "subject_attribute": "oid"}  # fmt: skip
    person = read(set_to=names, attributes=attributes)
    assert (person.subject, person.email) == ("7", "b@acme.example")
    assert (person.name, person.groups) == ("B", ("x",))


def test_the_name_is_the_address_only_where_no_attribute_is_and_it_is_one() -> None:
    assert read(attributes={}, name_id="Ada@acme.example").email == "ada@acme.example"
    assert read(attributes={}, name_id="ada").email is None
    named = {"email_attribute": "Mail"}
    assert read(set_to=named, attributes={}, name_id="ada@acme.example").email is None


def test_an_address_that_is_none_is_none() -> None:
    assert read(attributes={"email": ["ada@acme.example, eve@evil.example"]}).email is None


def test_a_name_that_changes_at_each_login_names_nobody() -> None:
    transient = f"{FORMAT}:transient"
    assert fault_of(name_id_format=transient) == "assertion_transient"
    by_attribute = {"subject_attribute": "oid"}
    person = read(set_to=by_attribute, attributes={"oid": ["7"]}, name_id_format=transient)
    assert person.subject == "7"


@pytest.mark.parametrize("values", [{}, {"oid": ["7", "8"]}])
def test_the_attribute_that_names_a_person_has_one_value(values: dict[str, list[str]]) -> None:
    assert fault_of(set_to={"subject_attribute": "oid"}, attributes=values) == "subject_attribute"


def test_a_subject_is_kept_whole_or_not_at_all() -> None:
    assert read(name_id="x" * 255).subject == "x" * 255
    assert fault_of(name_id="x" * 256) == "subject_malformed"
    assert fault_of(name_id="a&#9;b") == "subject_malformed"
    assert read(name_id="Ada").subject != read(name_id="ada").subject


def test_one_name_within_two_others_is_two_people() -> None:
    """SAML 2.0 Core section 8.3.7: a provider that stands for others qualifies their names."""

    def qualify(response: Any) -> None:
        response.find(f".//{ASSERTION}NameID").set("NameQualifier", "https://school.example")

    def qualify_by_itself(response: Any) -> None:
        response.find(f".//{ASSERTION}NameID").set("NameQualifier", IDP.entity_id)

    assert read(edit=qualify).subject == "https://school.example!u-1001"
    assert read(edit=qualify_by_itself).subject == read().subject == "u-1001"


def test_a_friendly_name_is_read_and_says_less_than_a_name() -> None:
    def befriend(response: Any) -> None:
        statement = response.find(f".//{ASSERTION}AttributeStatement")
        statement[0].set("FriendlyName", "mail")

    assert read(attributes={"urn:x": ["a@acme.example"]}, edit=befriend).email == "a@acme.example"
    both = {"urn:x": ["eve@acme.example"], "mail": ["ada@acme.example"]}
    assert read(attributes=both, edit=befriend).email == "ada@acme.example"


def test_names_and_groups_are_of_a_bounded_length() -> None:
    person = read(
        attributes={
            "displayName": ["A\u202eda\u2028" + "x" * 1900],
            "groups": ["g" * 257, *(f"g{n}" for n in range(1500))],
        }
    )
    assert person.name.startswith("A da x")
    assert len(person.name) == 100
    assert len(person.groups) == 999


def test_too_many_attributes_have_their_sentence() -> None:
    assert fault_of(attributes={"x": ["y" * 2001]}) == "assertion_attributes"


def test_an_id_within_an_attribute_is_read() -> None:
    """eduPersonTargetedID."""

    def edit(response: Any) -> None:
        value = response.find(f".//{ASSERTION}AttributeValue")
        value.text = "\n  "
        value.append(value.makeelement(f"{ASSERTION}NameID"))
        value[0].text = "t-1"

    person = read(set_to={"subject_attribute": "tid"}, attributes={"tid": [""]}, edit=edit)
    assert person.subject == "t-1"

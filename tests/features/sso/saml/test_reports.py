"""The test of a connection tells what came, and everything that was wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pwless_middleware.features.sso.saml.reports import Report, explain_response
from pwless_middleware.features.sso.saml.settings import SAMLSettings
from tests.identity_providers.saml import (
    ASSERTION,
    NOW,
    SERVICE,
    SAMLProvider,
    form_field,
    stamp,
)

IDP = SAMLProvider()


def explain(xml: bytes, settings: SAMLSettings | None = None) -> Report:
    return explain_response(
        form_field(xml), settings or IDP.settings(), SERVICE, request_id="_request", now=NOW
    )


def codes(report: Report) -> list[str]:
    return [fault.code for fault in report.faults]


def test_a_good_answer_is_told_whole() -> None:
    report = explain(IDP.answer())
    assert report.is_good
    assert report.faults == report.warnings == ()
    assert report.person is not None
    assert report.person.email == "ada@acme.example"
    assert report.attributes == (("email", ("ada@acme.example",)),)
    received = {str(one.label): one.value for one in report.received}
    assert received["Issuer"] == IDP.entity_id
    assert received["NameID"] == "u-1001"
    assert received["Audience"] == SERVICE.entity_id
    assert received["Recipient"] == SERVICE.acs_url
    assert received["Signed"] == "Assertion"
    assert received["Signature algorithm"].endswith("#ecdsa-sha256")
    assert received["Certificate (SHA-256)"] == IDP.settings().certificates[0].fingerprint


def test_all_that_is_wrong_is_told_at_once() -> None:
    def edit(response: Any) -> None:
        response.find(f".//{ASSERTION}Audience").text = "https://other.example"
        data = response.find(f".//{ASSERTION}SubjectConfirmationData")
        data.set("Recipient", "https://app.example/acs")
        data.set("NotOnOrAfter", stamp(NOW - 100))

    other = SAMLProvider(IDP.entity_id, key="another")
    report = explain(other.answer(edit=edit))
    assert codes(report) == [
        "signature_key",
        "assertion_recipient",
        "assertion_expired",
        "assertion_audience",
    ]
    assert report.person is None
    audience = report.faults[3]
    assert (audience.expected, audience.received) == (SERVICE.entity_id, "https://other.example")
    assert all(fault.text.endswith(".") for fault in report.faults)
    assert report.attributes  # what came is shown, whoever signed it


def test_an_unsigned_answer_of_another_provider() -> None:
    report = explain(IDP.answer(signed="nothing"), IDP.settings(entity_id="https://x.example"))
    assert codes(report) == ["response_issuer", "signature_missing"]


def test_a_refusal_of_the_provider_is_all_that_there_is() -> None:
    def edit(response: Any) -> None:
        response[1][0].set("Value", "urn:oasis:names:tc:SAML:2.0:status:Requester")
        response.remove(response.find(f"{ASSERTION}Assertion"))

    assert codes(explain(IDP.answer(edit=edit, signed="nothing"))) == ["status_requester"]


def test_what_cannot_be_read_is_one_fault() -> None:
    assert codes(explain(b"<a>")) == ["response_malformed"]
    assert codes(explain(b"<a/>")) == ["response_other"]
    assert codes(explain(b"<!DOCTYPE a><a/>")) == ["response_doctype"]


def test_wrapped_answers_are_no_better_in_a_test() -> None:
    xml = IDP.answer()
    assertion = xml[xml.index(b"<saml:Assertion") : xml.index(b"</samlp:Response>")]
    evil = assertion.replace(b"u-1001", b"admin").replace(b'ID="_assertion', b'ID="_evil')
    report = explain(xml.replace(assertion, evil + assertion))
    assert "assertion_several" in codes(report)
    assert report.person is None


def test_what_will_be_a_fault_is_a_warning() -> None:
    ends = SAMLProvider(key="ends", ends=20)
    report = explain(
        ends.answer(attributes={}),
        replace(ends.settings(), roles=(("Admins", "admin"),), groups_attribute="teams"),
    )
    assert report.is_good
    found = {warning.code: warning for warning in report.warnings}
    assert list(found) == ["certificate_ends", "address_missing", "groups_missing"]
    assert found["certificate_ends"].received == stamp(NOW + 20 * 86_400)
    assert found["groups_missing"].expected == "teams"


def test_what_came_is_shown_at_a_bounded_length() -> None:
    report = explain(IDP.answer(name_id="x" * 100_000))
    assert codes(report) == ["subject_malformed"]
    assert max(len(one.value) for one in report.received) == 300


def test_several_certificates_are_named_by_fingerprint() -> None:
    settings = IDP.settings()
    other = SAMLProvider(IDP.entity_id, key="unknown")
    report = explain(other.answer(), settings)
    assert report.faults[0].expected == settings.certificates[0].fingerprint
    assert report.faults[0].received == other.settings().certificates[0].fingerprint


def test_a_person_who_is_named_by_an_address_is_warned_of() -> None:
    report = explain(IDP.answer(name_id="ada@acme.example"))
    assert report.is_good
    assert [warning.code for warning in report.warnings] == ["subject_address"]
    named = {"subject_attribute": "oid"}
    report = explain(
        IDP.answer(name_id="ada@acme.example", attributes={"oid": ["7"], "email": ["a@b.example"]}),
        IDP.settings(**named),
    )
    assert report.warnings == ()

"""An answer of a provider signs somebody in if it is for us, now, because we asked, and signed.

Security rule 52.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.assertions import Assertion
from pwless_middleware.features.sso.saml.responses import decode_response, verify_response
from pwless_middleware.features.sso.saml.settings import SAMLSettings, ServiceProvider
from tests.identity_providers.saml import (
    ASSERTION,
    NOW,
    PROTOCOL,
    SERVICE,
    SAMLProvider,
    Signed,
    form_field,
    stamp,
)

IDP = SAMLProvider()
SETTINGS = IDP.settings()


def verify(
    xml: bytes,
    *,
    settings: SAMLSettings = SETTINGS,
    service: ServiceProvider = SERVICE,
    request_id: str | None = "_request",
    now: int = NOW,
    login_since: int | None = None,
) -> Assertion:
    return verify_response(
        xml, settings, service, request_id=request_id, now=now, login_since=login_since
    )


def fault_of(xml: bytes, **given: Any) -> str:
    with pytest.raises(SSOFault) as caught:
        verify(xml, **given)
    return caught.value.code


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_whatever_is_signed_the_person_is_known(signed: Signed) -> None:
    found = verify(IDP.answer(signed=signed))
    assert (found.name_id, found.authenticated_at) == ("u-1001", NOW)
    assert found.attributes == {"email": ("ada@acme.example",)}


def test_an_answer_without_any_signature_is_refused() -> None:
    assert fault_of(IDP.answer(signed="nothing")) == "signature_missing"


# --- what is set otherwise before the provider signs it: a real answer, but none for this login ---


def set_on(path: str, attribute: str, value: str | None) -> Callable[[Any], None]:
    """Return an edit of one attribute of whatever a path finds."""

    def edit(response: Any) -> None:
        element = response if path == "." else response.find(f".//{path}")
        if value is None:
            del element.attrib[attribute]
        else:
            element.set(attribute, value)

    return edit


def text_on(path: str, text: str) -> Callable[[Any], None]:
    return lambda response: setattr(response.find(f".//{path}"), "text", text)


def without(path: str) -> Callable[[Any], None]:
    def edit(response: Any) -> None:
        element = response.find(f".//{path}")
        element.getparent().remove(element)

    return edit


A, P = ASSERTION, PROTOCOL
DATA, CONDITIONS, STATEMENT = f"{A}SubjectConfirmationData", f"{A}Conditions", f"{A}AuthnStatement"
STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
OTHER_ACS = "https://app.example/sso/conn_2/acs"
CASES: dict[str, tuple[Callable[[Any], None], str]] = {
    "recipient of another connection": (
        set_on(DATA, "Recipient", OTHER_ACS),
        "assertion_recipient",
    ),
    "recipient beneath ours": (
        set_on(DATA, "Recipient", f"{SERVICE.acs_url}/x"),
        "assertion_recipient",
    ),
    "no recipient": (set_on(DATA, "Recipient", None), "assertion_recipient"),
    "audience of another service": (
        text_on(f"{A}Audience", "https://other.example"),
        "assertion_audience",
    ),
    "audience with more behind it": (
        text_on(f"{A}Audience", f"{SERVICE.entity_id}.evil.example"),
        "assertion_audience",
    ),
    "no audience": (without(f"{A}AudienceRestriction"), "assertion_audience"),
    "no conditions": (without(CONDITIONS), "assertion_audience"),
    "destination of another connection": (
        set_on(".", "Destination", OTHER_ACS),
        "response_destination",
    ),
    "answer to another request": (set_on(DATA, "InResponseTo", "_other"), "response_request"),
    "response to another request": (set_on(".", "InResponseTo", "_other"), "response_request"),
    "answer to no request": (set_on(DATA, "InResponseTo", None), "response_unsolicited"),
    "issuer of the response": (text_on(f"{A}Issuer", "https://evil.example"), "response_issuer"),
    "issuer of the assertion": (
        text_on(f"{A}Assertion/{A}Issuer", "https://evil.example"),
        "response_issuer",
    ),
    "no issuer of the assertion": (without(f"{A}Assertion/{A}Issuer"), "response_issuer"),
    "issued tomorrow": (
        set_on(f"{A}Assertion", "IssueInstant", stamp(NOW + 86_400)),
        "assertion_early",
    ),
    "not before later": (
        set_on(CONDITIONS, "NotBefore", stamp(NOW + 61)),
        "assertion_early",
    ),
    "conditions over": (set_on(CONDITIONS, "NotOnOrAfter", stamp(NOW - 60)), "assertion_expired"),
    "confirmation over": (set_on(DATA, "NotOnOrAfter", stamp(NOW - 60)), "assertion_expired"),
    "confirmation without end": (set_on(DATA, "NotOnOrAfter", None), "assertion_malformed"),
    "confirmation of no time": (set_on(DATA, "NotOnOrAfter", "soon"), "assertion_malformed"),
    "confirmation not yet": (set_on(DATA, "NotBefore", stamp(NOW + 61)), "assertion_early"),
    "holder of key": (
        set_on(f"{A}SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
        "assertion_confirmation",
    ),
    "no confirmation": (without(f"{A}SubjectConfirmation"), "assertion_confirmation"),
    "session over": (
        set_on(STATEMENT, "SessionNotOnOrAfter", stamp(NOW - 61)),
        "assertion_expired",
    ),
    "signed in tomorrow": (
        set_on(STATEMENT, "AuthnInstant", stamp(NOW + 86_400)),
        "assertion_early",
    ),
    "signed in at no time": (set_on(STATEMENT, "AuthnInstant", "x"), "assertion_malformed"),
    "nobody signed in": (without(STATEMENT), "assertion_statement"),
    "no name": (without(f"{A}NameID"), "assertion_subject"),
    "empty name": (text_on(f"{A}NameID", " "), "assertion_subject"),
    "SAML 1.1 response": (set_on(".", "Version", "1.1"), "response_version"),
    "SAML 1.1 assertion": (set_on(f"{A}Assertion", "Version", "1.1"), "assertion_malformed"),
    "login failed": (
        set_on(f"{P}StatusCode", "Value", f"{STATUS}Responder"),
        "status_responder",
    ),
    "no status": (without(f"{P}Status"), "status_other"),
    "no assertion": (without(f"{A}Assertion"), "assertion_missing"),
}


@pytest.mark.parametrize("signed", ["assertion", "response"])
@pytest.mark.parametrize("case", CASES)
def test_a_real_answer_for_something_else_is_refused(case: str, signed: Signed) -> None:
    edit, code = CASES[case]
    if case == "no assertion":
        signed = "response"
    assert fault_of(IDP.answer(edit=edit, signed=signed)) == code


def test_a_response_that_is_signed_says_where_it_goes() -> None:
    """SAML 2.0 Bindings section 3.5.5.2."""
    xml = IDP.answer(edit=set_on(".", "Destination", None), signed="response")
    assert fault_of(xml) == "response_destination"
    assert verify(IDP.answer(edit=set_on(".", "Destination", None)))


def test_a_condition_that_nobody_knows_is_refused_and_those_of_saml_are_not() -> None:
    def add(name: str) -> Callable[[Any], None]:
        def edit(response: Any) -> None:
            conditions = response.find(f".//{CONDITIONS}")
            conditions.append(conditions.makeelement(name))

        return edit

    assert verify(IDP.answer(edit=add(f"{A}OneTimeUse")))
    assert fault_of(IDP.answer(edit=add(f"{A}Condition"))) == "assertion_condition"
    assert fault_of(IDP.answer(edit=add("{x:y}OnlyOnTuesdays"))) == "assertion_condition"


def test_every_audience_restriction_has_to_name_us_and_one_of_several_audiences_may() -> None:
    def add(response: Any, *names: str, again: bool) -> None:
        conditions = response.find(f".//{CONDITIONS}")
        restriction = conditions.find(f"{A}AudienceRestriction")
        if again:
            restriction = conditions.makeelement(restriction.tag)
            conditions.append(restriction)
        for name in names:
            audience = restriction.makeelement(f"{A}Audience")
            audience.text = name
            restriction.append(audience)

    other = "https://other.example"
    assert verify(IDP.answer(edit=lambda r: add(r, other, again=False)))
    assert fault_of(IDP.answer(edit=lambda r: add(r, other, again=True))) == "assertion_audience"


def test_one_of_several_confirmations_is_enough() -> None:
    def edit(response: Any) -> None:
        subject = response.find(f".//{A}Subject")
        right = subject.find(f"{A}SubjectConfirmation")
        for recipient in (OTHER_ACS, SERVICE.acs_url):
            other = subject.makeelement(right.tag, right.attrib)
            data = other.makeelement(DATA, dict(right[0].attrib, Recipient=recipient))
            other.append(data)
            subject.append(other)
        subject.remove(right)

    assert verify(IDP.answer(edit=edit)).name_id == "u-1001"


# --- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("late", "code"),
    [(-61, "assertion_early"), (-60, None), (0, None), (359, None), (360, "assertion_expired")],
)
def test_clocks_may_differ_by_a_minute(late: int, code: str | None) -> None:
    xml = IDP.answer()
    if code is None:
        assert verify(xml, now=NOW + late)
    else:
        assert fault_of(xml, now=NOW + late) == code


def test_an_answer_can_be_used_no_longer_once_its_use_need_not_be_remembered() -> None:
    xml = IDP.answer(
        edit=lambda response: (
            set_on(CONDITIONS, "NotOnOrAfter", stamp(NOW + 10**9))(response),
            set_on(DATA, "NotOnOrAfter", stamp(NOW + 10**9))(response),
        )
    )
    found = verify(xml)
    assert found.spent_until <= NOW + 2 * 86_400
    assert fault_of(xml, now=found.spent_until) == "assertion_expired"
    assert verify(xml, now=NOW + 86_400)


def test_two_answers_have_two_ids() -> None:
    assert verify(IDP.answer()).id != verify(IDP.answer()).id


def test_the_end_that_the_provider_wants_for_sessions_is_told() -> None:
    ends = NOW + 3600
    found = verify(IDP.answer(edit=set_on(STATEMENT, "SessionNotOnOrAfter", stamp(ends))))
    assert found.ends_at == ends


# --- who asked -----------------------------------------------------------------------------------


def test_an_answer_for_another_connection_of_ours_is_refused() -> None:
    """Even where both connections are to one provider with one certificate."""
    other = ServiceProvider(entity_id="https://app.example/sso/conn_2/metadata", acs_url=OTHER_ACS)
    assert fault_of(IDP.answer(), service=other) == "response_destination"
    assert (
        fault_of(IDP.answer(edit=set_on(".", "Destination", OTHER_ACS)), service=other)
        == "assertion_recipient"
    )


def test_an_answer_of_another_provider_is_refused_with_whichever_name() -> None:
    other = SAMLProvider("https://evil.example/saml", key="evil")
    assert fault_of(other.answer()) == "response_issuer"
    same_name = SAMLProvider(IDP.entity_id, key="evil")
    assert fault_of(same_name.answer()) == "signature_key"


@pytest.mark.parametrize("allowed", [False, True])
def test_a_login_that_the_provider_began_is_refused_unless_the_connection_takes_it(
    allowed: bool,
) -> None:
    settings = replace(SETTINGS, allow_unsolicited=allowed)
    unasked = IDP.answer(request_id=None)
    if allowed:
        assert verify(unasked, settings=settings, request_id=None)
    else:
        assert fault_of(unasked, settings=settings, request_id=None) == "response_unsolicited"


def test_an_answer_to_somebody_elses_request_is_no_login_that_the_provider_began() -> None:
    """Signing a victim in as oneself: the answer names a request that this browser did not send."""
    settings = replace(SETTINGS, allow_unsolicited=True)
    assert fault_of(IDP.answer(), settings=settings, request_id=None) == "response_request"


def test_an_answer_to_no_request_is_no_answer_to_ours() -> None:
    settings = replace(SETTINGS, allow_unsolicited=True)
    unasked = IDP.answer(request_id=None)
    assert fault_of(unasked, settings=settings) == "response_unsolicited"


@pytest.mark.parametrize("signed_in", [NOW, NOW - 300, NOW - 360])
def test_who_was_asked_anew_has_signed_in_since(signed_in: int) -> None:
    xml = IDP.answer(edit=set_on(STATEMENT, "AuthnInstant", stamp(signed_in)))
    assert verify(xml, login_since=NOW - 300).authenticated_at == signed_in


def test_a_provider_that_asked_nobody_anew_confirms_nothing() -> None:
    xml = IDP.answer(edit=set_on(STATEMENT, "AuthnInstant", stamp(NOW - 361)))
    assert fault_of(xml, login_since=NOW - 300) == "assertion_login"
    assert verify(xml).authenticated_at == NOW - 361


# --- what the provider says of a login that did not happen ---------------------------------------


@pytest.mark.parametrize(
    ("outer", "inner", "code"),
    [
        ("Responder", "AuthnFailed", "status_login_failed"),
        ("Requester", "InvalidNameIDPolicy", "status_name_id"),
        ("Requester", "RequestDenied", "status_denied"),
        ("Responder", "NoPassive", "status_passive"),
        ("Requester", "", "status_requester"),
        ("VersionMismatch", "", "status_requester"),
        ("Responder", "SomethingNew", "status_responder"),
        ("Unheard", "", "status_other"),
    ],
)
def test_a_refusal_has_its_sentence_and_the_providers_words(
    outer: str, inner: str, code: str
) -> None:
    def edit(response: Any) -> None:
        status = response.find(f"{P}Status")
        status[0].set("Value", STATUS + outer)
        if inner:
            status[0].append(status.makeelement(f"{P}StatusCode", Value=STATUS + inner))
        message = status.makeelement(f"{P}StatusMessage")
        message.text = "ask IT"
        status.append(message)
        response.remove(response.find(f"{A}Assertion"))

    with pytest.raises(SSOFault) as caught:
        verify(IDP.answer(edit=edit, signed="nothing"))
    assert caught.value.code == code
    assert caught.value.received == ": ".join(w for w in (outer, inner, "ask IT") if w)


def test_an_encrypted_assertion_has_its_sentence() -> None:
    def edit(response: Any) -> None:
        response.append(response.makeelement(f"{A}EncryptedAssertion"))
        response.remove(response.find(f"{A}Assertion"))

    assert fault_of(IDP.answer(edit=edit, signed="nothing")) == "assertion_encrypted"


def test_another_message_is_no_response() -> None:
    xml = IDP.answer().replace(b"samlp:Response", b"samlp:LogoutResponse")
    assert fault_of(xml) == "response_other"


# --- the form's field ----------------------------------------------------------------------------


def test_the_field_is_base64_with_whichever_line_breaks() -> None:
    xml = IDP.answer()
    assert decode_response(form_field(xml)) == xml
    assert decode_response(base64.encodebytes(xml).decode()) == xml
    assert decode_response(base64.encodebytes(xml).decode().replace("\n", "\r\n")) == xml


@pytest.mark.parametrize("field", ["", " \r\n"])
def test_a_field_that_is_missing_has_its_sentence(field: str) -> None:
    with pytest.raises(SSOFault) as caught:
        decode_response(field)
    assert caught.value.code == "response_missing"


@pytest.mark.parametrize("field", ["<xml/>", "abc", "YQ==YQ==", "ü", "YQ-_"])
def test_a_field_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(SSOFault) as caught:
        decode_response(field)
    assert caught.value.code == "response_malformed"


def test_a_field_that_is_too_large_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(SSOFault) as caught:
        decode_response("A" * 400_000)
    assert caught.value.code == "response_too_large"

"""A signature counts if it is of SAML's form, by a good algorithm and a pinned certificate.

Security rule 52.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree
from signxml.algorithms import CanonicalizationMethod

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.certificates import read_certificates
from pwless_middleware.features.sso.saml.responses import verify_response
from pwless_middleware.features.sso.saml.settings import SAMLSettings
from tests.identity_providers.saml import (
    ASSERTION,
    NOW,
    SERVICE,
    SIGNATURE,
    SAMLProvider,
    make_key,
)

IDP = SAMLProvider()
RSA = SAMLProvider(key="rsa", kind="rsa")
EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0


def verify(xml: bytes, settings: SAMLSettings) -> str:
    found = verify_response(xml, settings, SERVICE, request_id="_request", now=NOW)
    return found.name_id


def fault_of(xml: bytes, settings: SAMLSettings) -> SSOFault:
    with pytest.raises(SSOFault) as caught:
        verify(xml, settings)
    return caught.value


# --- algorithms ----------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["rsa-sha256", "rsa-sha384", "rsa-sha512", "sha256-rsa-MGF1"])
def test_algorithms_of_rsa_that_are_accepted(algorithm: str) -> None:
    xml = RSA.sign_response(RSA.make_response(), algorithm=algorithm)
    assert verify(xml, RSA.settings()) == "u-1001"


@pytest.mark.parametrize("algorithm", ["ecdsa-sha256", "ecdsa-sha512"])
def test_algorithms_of_ecdsa_that_are_accepted(algorithm: str) -> None:
    xml = IDP.sign_response(IDP.make_response(), algorithm=algorithm)
    assert verify(xml, IDP.settings()) == "u-1001"


@pytest.mark.parametrize(
    ("algorithm", "digest"), [("rsa-sha1", "sha256"), ("rsa-sha256", "sha1"), ("rsa-sha1", "sha1")]
)
def test_sha1_is_refused_and_named(algorithm: str, digest: str) -> None:
    """Whoever finds a collision moves a signature to another document (security rule 52)."""
    xml = RSA.sign_response(RSA.make_response(), algorithm=algorithm, digest=digest)
    fault = fault_of(xml, RSA.settings())
    assert fault.code == "signature_algorithm"
    assert fault.received.endswith("sha1")


def test_a_mac_is_no_signature() -> None:
    """HMAC under the certificate, which everybody knows."""
    xml = RSA.answer().replace(b"#rsa-sha256", b"#hmac-sha256")
    assert fault_of(xml, RSA.settings()).code == "signature_algorithm"


@pytest.mark.parametrize(
    "method",
    [
        CanonicalizationMethod.CANONICAL_XML_1_0,
        CanonicalizationMethod.CANONICAL_XML_1_1,
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0_WITH_COMMENTS,
    ],
)
def test_canonicalizations_that_providers_use_are_accepted(method: CanonicalizationMethod) -> None:
    xml = IDP.sign_response(IDP.make_response(), c14n=method)
    assert verify(xml, IDP.settings()) == "u-1001"


# --- certificates --------------------------------------------------------------------------------


def test_while_a_provider_changes_its_certificate_both_are_good() -> None:
    new = SAMLProvider(key="next")
    both = read_certificates(IDP.certificate + new.certificate)
    settings = IDP.settings(certificates=both)
    assert verify(IDP.answer(), settings) == "u-1001"
    assert verify(new.answer(), settings) == "u-1001"
    fault = fault_of(new.answer(), IDP.settings())
    assert fault.code == "signature_key"
    assert fault.received == both[1].fingerprint
    assert fault.expected == both[0].fingerprint


def test_a_certificate_that_has_ended_is_good_as_long_as_it_is_pinned() -> None:
    old = SAMLProvider(key="old", ends=-500)  # by the clock of this machine too
    assert verify(old.answer(), old.settings()) == "u-1001"


def test_the_certificate_within_the_answer_makes_nothing_good() -> None:
    """The attacker's own, which has the same name as the provider's."""
    attacker = SAMLProvider(key="idp-of-somebody-else")
    assert fault_of(attacker.answer(), IDP.settings()).code == "signature_key"
    named = attacker.sign_response(attacker.make_response(), cert=IDP.certificate)
    assert fault_of(named, IDP.settings()).code == "signature_wrong"


def test_an_answer_that_names_no_certificate_is_held_against_all() -> None:
    other = make_key("other")[1]
    settings = IDP.settings(certificates=read_certificates(other + IDP.certificate))
    response = etree.fromstring(IDP.answer())
    signature = response.find(f"{ASSERTION}Assertion/{SIGNATURE}Signature")
    signature.remove(signature.find(f"{SIGNATURE}KeyInfo"))
    xml = etree.tostring(response)
    assert verify(xml, settings) == "u-1001"
    without = replace(settings, certificates=read_certificates(other))
    assert fault_of(xml, without).code == "signature_wrong"


def test_a_key_of_another_kind_is_no_crash() -> None:
    assert fault_of(IDP.answer(), RSA.settings()).code == "signature_key"
    assert fault_of(RSA.answer(), IDP.settings()).code == "signature_key"


# --- the form of a signature ---------------------------------------------------------------------


def edited(path: str, **attributes: str | None) -> bytes:
    response = etree.fromstring(IDP.answer())
    element = response.find(f".//{SIGNATURE}{path}")
    for name, value in attributes.items():
        if value is None:
            del element.attrib[name]
        else:
            element.set(name, value)
    return bytes(etree.tostring(response))


@pytest.mark.parametrize("uri", ["", "#_other", "#", "http://evil.example/", "#xpointer(/)", None])
def test_a_signature_is_of_the_element_that_it_stands_in(uri: str | None) -> None:
    assert fault_of(edited("Reference", URI=uri), IDP.settings()).code == "signature_reference"


@pytest.mark.parametrize(
    "transform",
    [
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    ],
    ids=["xpath", "xpath2", "xslt", "base64", "c14n"],
)
def test_a_transform_that_could_sign_something_else_is_refused(transform: str) -> None:
    assert fault_of(edited("Transform", Algorithm=transform), IDP.settings()).code == (
        "signature_shape"
    )


def test_a_second_transform_is_a_canonicalization() -> None:
    transform = b'Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"'
    xml = IDP.answer()
    assert transform in xml
    for other in (b"http://www.w3.org/TR/1999/REC-xslt-19991116", b"x"):
        changed = xml.replace(transform, b'Transform Algorithm="%s"' % other)
        assert fault_of(changed, IDP.settings()).code == "signature_algorithm"


def insert(path: str, name: str, *, text: str = "", **attributes: str) -> bytes:
    response = etree.fromstring(IDP.answer())
    new: Any = etree.SubElement(response.find(f".//{SIGNATURE}{path}"), name, attributes)
    new.text = text
    return bytes(etree.tostring(response))


EXC = "{http://www.w3.org/2001/10/xml-exc-c14n#}InclusiveNamespaces"


@pytest.mark.parametrize(
    "xml",
    [
        insert("Signature", f"{SIGNATURE}Object"),
        insert("SignedInfo", f"{SIGNATURE}Reference", URI="#x"),
        insert("Reference", f"{SIGNATURE}Transforms"),
        insert("Transform", f"{SIGNATURE}XPath", text="ancestor::x"),
        insert("CanonicalizationMethod", EXC),
        insert("CanonicalizationMethod", EXC, PrefixList="a " * 300),
        insert("CanonicalizationMethod", "{urn:x}Other", PrefixList="a"),
        insert("Signature", f"{SIGNATURE}KeyInfo"),
        insert("SignatureValue", "{urn:x}x"),
        IDP.answer().replace(b"SignatureValue>", b"SignatureValue>!", 1),
        IDP.answer().replace(b"DigestValue>", b"DigestValue>!", 1),
    ],
    ids=range(11),
)
def test_a_signature_of_another_form_is_refused(xml: bytes) -> None:
    assert fault_of(xml, IDP.settings()).code == "signature_shape"


def test_a_parameter_of_an_algorithm_is_refused() -> None:
    """A MAC that is cut to nothing was once a good one (CVE-2009-0217)."""
    for path in ("SignatureMethod", "DigestMethod"):
        xml = insert(path, f"{SIGNATURE}HMACOutputLength", text="1")
        assert fault_of(xml, IDP.settings()).code == "signature_algorithm"


def test_a_short_list_of_prefixes_is_part_of_saml() -> None:
    xml = RSA.sign_response(RSA.make_response(), inclusive_ns_prefixes=["xs", "saml"])
    assert b'PrefixList="xs saml"' in xml
    assert verify(xml, RSA.settings()) == "u-1001"


@pytest.mark.parametrize("value", ["AAAA", "A" * 2000, "MEUCIQ=="])
def test_a_signature_value_of_any_length_is_wrong_and_no_crash(value: str) -> None:
    for provider in (IDP, RSA):
        response = etree.fromstring(provider.answer())
        response.find(f".//{SIGNATURE}SignatureValue").text = value
        xml = etree.tostring(response)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert fault_of(xml, provider.settings()).code == "signature_wrong"

"""Our metadata: what an IT department's provider reads of us."""

from __future__ import annotations

from lxml import etree

from pwless_middleware.features.sso.saml.own_metadata import make_metadata
from pwless_middleware.features.sso.saml.settings import ServiceProvider
from tests.identity_providers.saml import SERVICE, make_key

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


def test_it_says_who_we_are_and_where_answers_go() -> None:
    root = etree.fromstring(make_metadata(SERVICE).encode())
    assert root.get("entityID") == SERVICE.entity_id
    service = root.find(f"{MD}SPSSODescriptor")
    assert service.get("AuthnRequestsSigned") == "false"
    assert service.get("WantAssertionsSigned") == "true"
    (acs,) = service.findall(f"{MD}AssertionConsumerService")
    assert acs.get("Location") == SERVICE.acs_url
    assert acs.get("Binding") == "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
    assert service.find(f"{MD}KeyDescriptor") is None


def test_it_has_the_certificate_of_the_key_that_signs() -> None:
    certificate = make_key("ours")[1]
    text = make_metadata(SERVICE, sign_requests=True, signing_certificate=certificate)
    service = etree.fromstring(text.encode()).find(f"{MD}SPSSODescriptor")
    assert service.get("AuthnRequestsSigned") == "true"
    (key,) = service.findall(f"{MD}KeyDescriptor")
    assert key.get("use") == "signing"  # and none to encrypt with
    assert "".join(key.itertext()) == "".join(certificate.strip().split("\n")[1:-1])


def test_what_stands_in_it_is_text() -> None:
    odd = '"><x/>&'
    root = etree.fromstring(make_metadata(ServiceProvider(entity_id=odd, acs_url=odd)).encode())
    assert root.get("entityID") == odd
    assert len(list(root.iter())) == 4

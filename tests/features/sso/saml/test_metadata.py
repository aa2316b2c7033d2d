"""Metadata of a provider is read, or has a sentence that says what is wrong with it."""

from __future__ import annotations

import pytest

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.metadata import read_metadata
from pwless_middleware.features.sso.saml.own_metadata import make_metadata
from tests.identity_providers.saml import NOW, SERVICE, SAMLProvider, make_key, stamp

IDP = SAMLProvider()
WHOLE = IDP.make_metadata().decode()
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def fault_of(xml: str) -> str:
    with pytest.raises(SSOFault) as caught:
        read_metadata(xml.encode(), now=NOW)
    return caught.value.code


def test_a_providers_name_address_and_certificate_are_read() -> None:
    found = read_metadata(WHOLE.encode(), now=NOW)
    assert found.entity_id == IDP.entity_id
    assert found.sso_url == IDP.sso_url
    assert [one.pem for one in found.certificates] == [IDP.certificate]
    assert not found.wants_signed_requests
    assert found.expires_at is None
    assert found.to_config() == IDP.config()


def test_what_a_provider_wants_signed_and_when_to_look_again_are_read() -> None:
    xml = WHOLE.replace("IDPSSODescriptor\n", 'IDPSSODescriptor WantAuthnRequestsSigned="true"\n')
    xml = xml.replace("entityID=", f'validUntil="{stamp(NOW + 60)}" entityID=')
    found = read_metadata(xml.encode(), now=NOW)
    assert found.wants_signed_requests
    assert found.to_config()["sign_requests"] is True
    assert found.expires_at == NOW + 60


def test_one_provider_among_services_of_a_federation_is_found() -> None:
    others = make_metadata(SERVICE).partition("\n")[2]
    xml = f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{others}{WHOLE}'
    found = read_metadata(f"{xml}</md:EntitiesDescriptor>".encode(), now=NOW)
    assert found.entity_id == IDP.entity_id


def test_certificates_to_encrypt_with_are_left_and_several_that_sign_are_taken() -> None:
    key = WHOLE[WHOLE.index("<md:KeyDescriptor") : WHOLE.index("</md:KeyDescriptor>") + 19]
    body = "".join(make_key("two")[1].strip().split("\n")[1:-1])
    ours = "".join(IDP.certificate.strip().split("\n")[1:-1])
    other = key.replace(ours, body)
    encrypting = WHOLE.replace(key, key + other.replace('use="signing"', 'use="encryption"'))
    assert len(read_metadata(encrypting.encode(), now=NOW).certificates) == 1
    for use in ('use="signing"', ""):
        both = WHOLE.replace(key, key + other.replace('use="signing"', use))
        assert len(read_metadata(both.encode(), now=NOW).certificates) == 2


FAULTS = {
    "metadata_malformed": "<md:EntityDescriptor",
    "metadata_doctype": f"<!DOCTYPE x [<!ENTITY y 'z'>]>{WHOLE}",
    "metadata_page": "\ufeff \n<!doctype HTML><html><body>Sign in</body></html>",
    "metadata_other": "<rss/>",
    "metadata_of_a_service": make_metadata(SERVICE),
    "metadata_no_provider": WHOLE.replace("SAML:2.0:protocol", "SAML:1.1:protocol"),
    "metadata_several": f'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">'
    f"{WHOLE}{WHOLE}</md:EntitiesDescriptor>",
    "metadata_entity": WHOLE.replace(f'entityID="{IDP.entity_id}"', ""),
    "metadata_expired": WHOLE.replace("entityID=", f'validUntil="{stamp(NOW)}" entityID='),
    "metadata_no_redirect": WHOLE.replace(REDIRECT, POST),
    "metadata_no_certificate": WHOLE.replace("X509Certificate", "X509Other"),
    "metadata_too_large": WHOLE + " " * 1_048_576,
    "metadata_too_complex": f"<md:x xmlns:md='y'>{'<a/>' * 20_000}</md:x>",
    "certificate_malformed": WHOLE.replace("<ds:X509Certificate>", "<ds:X509Certificate>AAAA"),
    "request_scheme": WHOLE.replace('Location="https:', 'Location="http:'),
    "request_malformed": WHOLE.replace('Location="https://idp', 'Location="https://u:p@idp'),
}


def test_a_login_page_may_be_inside_a_network_since_nobody_but_its_people_goes_there() -> None:
    xml = WHOLE.replace("https://idp.example/saml/sso", "https://10.0.0.1/adfs/ls")
    assert read_metadata(xml.encode(), now=NOW).sso_url == "https://10.0.0.1/adfs/ls"


@pytest.mark.parametrize("code", FAULTS)
def test_every_fault_has_its_sentence(code: str) -> None:
    assert fault_of(FAULTS[code]) == code

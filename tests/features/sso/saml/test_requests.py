"""The request that a browser is sent with says who asks, and where the answer goes."""

from __future__ import annotations

import base64
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.requests import make_request
from pwless_middleware.features.sso.saml.settings import ServiceProvider
from tests.identity_providers.saml import (
    ASSERTION,
    NOW,
    PROTOCOL,
    SERVICE,
    SAMLProvider,
    make_key,
    read_request,
    stamp,
)

IDP = SAMLProvider()
SETTINGS = IDP.settings()


def test_a_request_says_who_asks_and_where_the_answer_goes() -> None:
    made = make_request(SETTINGS, SERVICE, now=NOW, relay_state="s" * 80)
    assert made.url.startswith(f"{IDP.sso_url}?SAMLRequest=")
    assert dict(parse_qsl(urlsplit(made.url).query))["RelayState"] == "s" * 80
    request = read_request(made.url)
    assert request.tag == f"{PROTOCOL}AuthnRequest"
    assert dict(request.attrib) == {
        "ID": made.id,
        "Version": "2.0",
        "IssueInstant": stamp(NOW),
        "Destination": IDP.sso_url,
        "AssertionConsumerServiceURL": SERVICE.acs_url,
        "ProtocolBinding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
    }
    assert request.find(f"{ASSERTION}Issuer").text == SERVICE.entity_id
    assert dict(request.find(f"{PROTOCOL}NameIDPolicy").attrib) == {"AllowCreate": "true"}


def test_no_two_requests_have_one_id_and_none_can_be_guessed() -> None:
    ids = {make_request(SETTINGS, SERVICE, now=NOW).id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(id) == 41 and id.startswith("_") for id in ids)


def test_what_is_not_asked_for_is_not_in_it() -> None:
    query = parse_qs(urlsplit(make_request(SETTINGS, SERVICE, now=NOW).url).query)
    assert list(query) == ["SAMLRequest"]


def test_the_format_of_names_the_hint_and_a_new_login_are_asked_for() -> None:
    settings = replace(SETTINGS, name_id_format="email")
    made = make_request(settings, SERVICE, now=NOW, login_hint="a+b@acme.example", force=True)
    request = read_request(made.url)
    assert request.find(f"{PROTOCOL}NameIDPolicy").get("Format").endswith(":emailAddress")
    assert request.get("ForceAuthn") == "true"
    assert parse_qs(urlsplit(made.url).query)["login_hint"] == ["a+b@acme.example"]


def test_an_address_that_has_a_query_keeps_it() -> None:
    settings = replace(SETTINGS, sso_url="https://idp.example/sso?idpid=C01&x=%2F")
    made = make_request(settings, SERVICE, now=NOW)
    assert made.url.startswith("https://idp.example/sso?idpid=C01&x=%2F&SAMLRequest=")
    assert read_request(made.url).get("Destination") == settings.sso_url


def test_what_stands_in_names_and_addresses_is_text() -> None:
    odd = "\"><x a='&b'/>"
    service = ServiceProvider(entity_id=f"urn:{odd}", acs_url=f"https://app.example/{odd}")
    settings = replace(SETTINGS, sso_url=f"https://idp.example/{odd}")
    request = read_request(make_request(settings, service, now=NOW).url.replace(odd, ""))
    assert request.get("Destination") == settings.sso_url
    assert request.get("AssertionConsumerServiceURL") == service.acs_url
    assert request.find(f"{ASSERTION}Issuer").text == service.entity_id
    assert len(request) == 2


def test_a_signed_request_is_signed_over_the_query_as_it_is_sent() -> None:
    """SAML 2.0 Bindings section 3.4.4.1, verified as a provider does it."""
    secret, certificate = make_key("ours", "rsa")
    settings = replace(SETTINGS, sign_requests=True, signing_certificate=certificate)
    made = make_request(
        settings,
        SERVICE,
        now=NOW,
        relay_state="a b/c",
        login_hint="x@acme.example",
        signing_key=secret,
    )
    query = urlsplit(made.url).query
    signed, _, rest = query.partition("&Signature=")
    assert [name for name, _ in parse_qsl(signed)] == ["SAMLRequest", "RelayState", "SigAlg"]
    signature = base64.b64decode(parse_qs(f"Signature={rest}")["Signature"][0])
    public = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    assert isinstance(public, RSAPublicKey)
    public.verify(signature, signed.encode(), PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(signature, signed.replace("RelayState=a", "RelayState=b").encode(),
                      PKCS1v15(), SHA256())  # fmt: skip


@pytest.mark.parametrize("secret", [None, b"", b"no key"])
def test_a_request_that_cannot_be_signed_is_not_sent(secret: bytes | None) -> None:
    settings = replace(SETTINGS, sign_requests=True)
    with pytest.raises(SSOFault) as caught:
        make_request(settings, SERVICE, now=NOW, signing_key=secret)
    assert caught.value.code == "signing_key_missing"

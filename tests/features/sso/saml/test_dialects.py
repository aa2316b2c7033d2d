"""What other people's providers say is understood, and they understand what we say."""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.person import ProviderPerson
from pwless_middleware.features.sso.saml.metadata import fetch_metadata, read_metadata
from pwless_middleware.features.sso.saml.own_metadata import make_metadata
from pwless_middleware.features.sso.saml.person import read_person
from pwless_middleware.features.sso.saml.requests import AuthnRequest, make_request
from pwless_middleware.features.sso.saml.responses import decode_response, verify_response
from pwless_middleware.features.sso.saml.settings import SAMLSettings, read_saml_settings
from pwless_middleware.safe_http.client import SafeHTTPClient
from tests.identity_providers.nanoidp import NanoIDP
from tests.identity_providers.saml import SERVICE, form_field, make_key

pytestmark = pytest.mark.anyio

CLIENT: Final = SafeHTTPClient("features", extra="sso", allow_loopback=True)

REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
SHA256: Final = {
    "sign_alg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "digest_alg": "http://www.w3.org/2001/04/xmlenc#sha256",
}


def now() -> int:
    return int(time.time())  # of providers that have no other clock


async def test_a_whole_login_at_nanoidp(nanoidp: NanoIDP) -> None:
    """Its signature stands at the assertion's end, which the schema does not allow."""
    metadata = await fetch_metadata(CLIENT, f"{nanoidp.issuer}/saml/metadata", now=now())
    settings = read_saml_settings(metadata.to_config(), allow_loopback=True)
    request = make_request(settings, SERVICE, now=now(), relay_state="state-1")
    url, fields = await nanoidp.post_back(request.url, "jo")
    assert url == SERVICE.acs_url
    assert fields["RelayState"] == "state-1"
    assertion = verify_response(
        decode_response(fields["SAMLResponse"]),
        settings,
        SERVICE,
        request_id=request.id,
        now=now(),
    )
    person = read_person(settings, assertion)
    assert (person.subject, person.email) == ("jo@acme.example", "jo@acme.example")
    assert person.groups == ("staff", "admins")


@pytest.mark.parametrize(
    ("path", "code"), [("/", "metadata_page"), ("/nothing-here", "metadata_status")]
)
async def test_an_address_that_has_no_metadata(nanoidp: NanoIDP, path: str, code: str) -> None:
    with pytest.raises(SSOFault) as caught:
        await fetch_metadata(CLIENT, nanoidp.issuer + path, now=now())
    assert caught.value.code == code


async def test_metadata_is_asked_for_from_outside_alone() -> None:
    client = SafeHTTPClient("features", extra="sso")
    with pytest.raises(SSOFault) as caught:
        await fetch_metadata(client, "https://169.254.169.254/latest", now=now())
    assert caught.value.code == "request_not_public"


class PySAML2:
    """pysaml2's identity provider, which knows us by our metadata, and wants requests signed.

    Args:
        folder: for its files.
    """

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of cryptography, for what it never uses here
            from saml2.config import IdPConfig
            from saml2.metadata import entity_descriptor
            from saml2.server import Server
        secret, certificate = make_key("pysaml2", "rsa")
        (folder / "key.pem").write_bytes(secret)
        (folder / "certificate.pem").write_text(certificate)
        self.key, self.our_certificate = make_key("ours", "rsa")
        ours = make_metadata(SERVICE, sign_requests=True, signing_certificate=self.our_certificate)
        (folder / "service.xml").write_text(ours)
        config = {
            "entityid": "https://pysaml2.example/idp",
            "key_file": str(folder / "key.pem"),
            "cert_file": str(folder / "certificate.pem"),
            "service": {
                "idp": {
                    "endpoints": {
                        "single_sign_on_service": [("https://pysaml2.example/sso", REDIRECT)]
                    },
                    "want_authn_requests_signed": True,
                    "policy": {"default": {"lifetime": {"minutes": 15}}},
                }
            },
            "metadata": {"local": [str(folder / "service.xml")]},
        }
        self.server = Server(config=IdPConfig().load(config))
        self.metadata = str(entity_descriptor(self.server.config)).encode()

    def read(self, request: AuthnRequest) -> Any:
        """Return a request, verified if it is signed, as pysaml2 reads it."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        return self.server.parse_authn_request(
            query["SAMLRequest"],
            REDIRECT,
            relay_state=query.get("RelayState"),
            sigalg=query.get("SigAlg"),
            signature=query.get("Signature"),
        )

    def answer(self, request: AuthnRequest, **given: Any) -> str:
        """Return the form's field that answers a request."""
        from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID

        usual: dict[str, Any] = {
            "identity": {"mail": ["ada@acme.example"], "displayName": ["Ada Lovelace"]},
            "userid": "ada",
            "name_id": NameID(format=NAMEID_FORMAT_PERSISTENT, text="p-1"),
            "authn": {"class_ref": "https://refeds.org/profile/mfa", "authn_auth": ""},
            "sign_assertion": True,
            **SHA256,
            **self.server.response_args(self.read(request).message),
        }
        return form_field(str(self.server.create_authn_response(**usual | given)).encode())


@pytest.fixture(scope="module")
def pysaml2(tmp_path_factory: pytest.TempPathFactory) -> PySAML2:
    """Return one that is there for all tests: importing it takes a second."""
    return PySAML2(tmp_path_factory.mktemp("pysaml2"))


def settings_of(provider: PySAML2) -> SAMLSettings:
    metadata = read_metadata(provider.metadata, now=now())
    assert metadata.wants_signed_requests
    config = {**metadata.to_config(), "signing_certificate": provider.our_certificate}
    return read_saml_settings(config)


def ask(provider: PySAML2) -> AuthnRequest:
    return make_request(
        settings_of(provider), SERVICE, now=now(), relay_state="s", signing_key=provider.key
    )


def sign_in(provider: PySAML2, **given: Any) -> ProviderPerson:
    settings, request = settings_of(provider), ask(provider)
    xml = decode_response(provider.answer(request, **given))
    assertion = verify_response(xml, settings, SERVICE, request_id=request.id, now=now())
    return read_person(settings, assertion)


@pytest.mark.parametrize(("assertion", "response"), [(True, False), (False, True), (True, True)])
def test_whatever_pysaml2_signs_the_person_is_known(
    pysaml2: PySAML2, assertion: bool, response: bool
) -> None:
    person = sign_in(pysaml2, sign_assertion=assertion, sign_response=response)
    assert (person.subject, person.email) == ("p-1", "ada@acme.example")
    assert person.name == "Ada Lovelace"
    assert person.has_mfa


def test_pysaml2_signs_with_sha1_unless_it_is_told_not_to(pysaml2: PySAML2) -> None:
    with pytest.raises(SSOFault) as caught:
        sign_in(pysaml2, sign_alg=None, digest_alg=None)
    assert caught.value.code == "signature_algorithm"


def test_pysaml2_verifies_what_we_sign(pysaml2: PySAML2) -> None:
    request = ask(pysaml2)
    assert pysaml2.read(request).message.id == request.id
    changed = replace(request, url=request.url.replace("RelayState=s", "RelayState=t"))
    unsigned = replace(request, url=request.url.partition("&Signature=")[0])
    for one in (changed, unsigned):
        with pytest.raises(Exception, match=r"(?i)signature|signed"):
            pysaml2.read(one)

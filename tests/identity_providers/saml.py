"""A SAML identity provider of the tests' own: it says whatever a test wants, and signs it."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.signer import XMLSigner

from pwless_middleware.features.sso.saml.certificates import read_certificates
from pwless_middleware.features.sso.saml.settings import SAMLSettings, ServiceProvider

NOW: Final = 1_800_000_000
NS: Final = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
ASSERTION: Final = f"{{{NS['saml']}}}"
PROTOCOL: Final = f"{{{NS['samlp']}}}"
SIGNATURE: Final = f"{{{NS['ds']}}}"
SERVICE: Final = ServiceProvider(
    entity_id="https://app.example/sso/conn_1/metadata",
    acs_url="https://app.example/sso/conn_1/acs",
)
EXCLUSIVE: Final = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
Signed = Literal["assertion", "response", "both", "nothing"]
KeyKind = Literal["rsa", "rsa-1024", "ec"]


class _Sha1Signer(XMLSigner):
    def check_deprecated_methods(self) -> None:
        """Sign as providers of old do."""


@lru_cache(maxsize=32)
def make_key(name: str, kind: KeyKind = "ec", ends: int = 400) -> tuple[bytes, str]:
    """Return a private key and its certificate, both PEM; the same for the same arguments.

    Args:
        name: tells keys apart.
        kind: of the key; EC keys are made quickest.
        ends: days after `NOW` at which the certificate ends.
    """
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if kind == "ec":
        key = ec.generate_private_key(ec.SECP256R1())
    else:
        key = rsa.generate_private_key(65537, 1024 if kind == "rsa-1024" else 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.fromtimestamp(NOW, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1000))
        .not_valid_after(now + timedelta(days=ends))
        .sign(key, SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return secret, certificate.public_bytes(Encoding.PEM).decode()


def stamp(at: int) -> str:
    """Return an instant as SAML writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class SAMLProvider:
    """An identity provider.

    Args:
        entity_id: its name.
        key: which key it signs with (`make_key`).
        kind: of that key.
    """

    def __init__(
        self,
        entity_id: str = "https://idp.example/saml",
        *,
        key: str = "idp",
        kind: KeyKind = "ec",
        ends: int = 400,
    ) -> None:
        self.entity_id = entity_id
        self.sso_url = f"{entity_id}/sso"
        self.secret, self.certificate = make_key(key, kind, ends)
        self._kind = kind
        self._count = 0

    def settings(self, **given: Any) -> SAMLSettings:
        """Return the settings of a connection to it."""
        usual: dict[str, Any] = {
            "entity_id": self.entity_id,
            "sso_url": self.sso_url,
            "certificates": read_certificates(self.certificate),
        }
        return SAMLSettings(**usual | given)

    def config(self) -> dict[str, object]:
        """Return the `config` of a connection to it."""
        return {
            "entity_id": self.entity_id,
            "sso_url": self.sso_url,
            "certificates": [self.certificate],
        }

    def make_response(
        self,
        service: ServiceProvider = SERVICE,
        *,
        request_id: str | None = "_request",
        now: int = NOW,
        name_id: str = "u-1001",
        name_id_format: str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
        attributes: Mapping[str, list[str]] | None = None,
        context: str = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
    ) -> Any:
        """Return an unsigned response that is right in everything else, as a tree of lxml."""
        self._count += 1
        answered = f'InResponseTo="{request_id}"' if request_id is not None else ""
        given = {"email": ["ada@acme.example"]} if attributes is None else attributes
        values = "".join(
            f'<saml:Attribute Name="{name}">'
            + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in several)
            + "</saml:Attribute>"
            for name, several in given.items()
        )
        statement = f"<saml:AttributeStatement>{values}</saml:AttributeStatement>" if given else ""
        return etree.fromstring(
            f"""<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}"
            ID="_response{self._count}" Version="2.0" IssueInstant="{stamp(now)}"
            Destination="{service.acs_url}" {answered}><saml:Issuer>{self.entity_id}</saml:Issuer>
            <samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>
            </samlp:Status><saml:Assertion ID="_assertion{self._count}" Version="2.0"
            IssueInstant="{stamp(now)}"><saml:Issuer>{self.entity_id}</saml:Issuer><saml:Subject>
            <saml:NameID Format="{name_id_format}">{name_id}</saml:NameID>
            <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
            <saml:SubjectConfirmationData Recipient="{service.acs_url}" {answered}
            NotOnOrAfter="{stamp(now + 300)}"/></saml:SubjectConfirmation></saml:Subject>
            <saml:Conditions NotBefore="{stamp(now)}" NotOnOrAfter="{stamp(now + 300)}">
            <saml:AudienceRestriction><saml:Audience>{service.entity_id}</saml:Audience>
            </saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement
            AuthnInstant="{stamp(now)}" SessionIndex="_session"><saml:AuthnContext>
            <saml:AuthnContextClassRef>{context}</saml:AuthnContextClassRef></saml:AuthnContext>
            </saml:AuthnStatement>{statement}</saml:Assertion></samlp:Response>"""
        )

    def sign(
        self, element: Any, *, algorithm: str = "", digest: str = "sha256", **given: Any
    ) -> Any:
        """Return an element with its signature behind the `Issuer`, where the schema has it."""
        marker = etree.Element(f"{SIGNATURE}Signature", nsmap={"ds": NS["ds"]}, Id="placeholder")
        element.insert(1, marker)
        signer = (_Sha1Signer if "sha1" in algorithm + digest else XMLSigner)(
            signature_algorithm=algorithm
            or ("ecdsa-sha256" if self._kind == "ec" else "rsa-sha256"),
            digest_algorithm=digest,
            c14n_algorithm=given.pop("c14n", EXCLUSIVE),
        )
        usual: dict[str, Any] = {"cert": self.certificate, "reference_uri": element.get("ID")}
        return signer.sign(element, key=self.secret, **usual | given)

    def sign_response(self, response: Any, signed: Signed = "assertion", **given: Any) -> bytes:
        """Return a response as the provider sends it."""
        if signed in ("assertion", "both"):
            assertion = response.find(f"{ASSERTION}Assertion")
            at = list(response).index(assertion)
            new = self.sign(assertion, **given)
            response.remove(assertion)
            response.insert(at, new)
        if signed in ("response", "both"):
            response = self.sign(response, **given)
        return bytes(etree.tostring(response))

    def answer(
        self,
        service: ServiceProvider = SERVICE,
        *,
        signed: Signed = "assertion",
        edit: Callable[[Any], object] | None = None,
        **given: Any,
    ) -> bytes:
        """Return a signed response.

        Args:
            service: whom it is for.
            signed: what is.
            edit: changes the response before it is signed.
            given: to `make_response`.
        """
        response = self.make_response(service, **given)
        if edit is not None:
            edit(response)
        return self.sign_response(response, signed)

    def make_metadata(self, **edits: str) -> bytes:
        """Return its metadata, in which texts may be replaced by others."""
        body = "".join(self.certificate.strip().split("\n")[1:-1])
        text = f"""<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
            xmlns:ds="{NS["ds"]}" entityID="{self.entity_id}"><md:IDPSSODescriptor
            protocolSupportEnumeration="{NS["samlp"]}"><md:KeyDescriptor use="signing"><ds:KeyInfo>
            <ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
            </md:KeyDescriptor><md:SingleSignOnService
            Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{self.sso_url}"/>
            </md:IDPSSODescriptor></md:EntityDescriptor>"""
        for old, new in edits.items():
            text = text.replace(old, new)
        return text.encode()


def form_field(xml: bytes) -> str:
    """Return a response as the form's field `SAMLResponse` has it."""
    return base64.b64encode(xml).decode()


def read_request(url: str) -> Any:
    """Return the request that a browser is sent with, as a tree of lxml."""
    field = parse_qs(urlsplit(url).query)["SAMLRequest"][0]
    return etree.fromstring(zlib.decompress(base64.b64decode(field), -zlib.MAX_WBITS))

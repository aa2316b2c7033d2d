"""Our metadata: what a provider reads to know us (SAML 2.0 Metadata section 2.4.4)."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape, quoteattr

from pwless_middleware.features.sso.saml.names import HTTP_POST, SAML_2
from pwless_middleware.features.sso.saml.settings import NAME_ID_FORMATS, ServiceProvider

MEDIA_TYPE: Final = "application/samlmetadata+xml"


def make_metadata(
    service_provider: ServiceProvider,
    *,
    name_id_format: str = "unspecified",
    sign_requests: bool = False,
    signing_certificate: str = "",
) -> str:
    """Return the metadata of one connection, as XML. It needs nothing that the provider says.

    Args:
        service_provider: who we are there.
        name_id_format: what people should be named by, of `NAME_ID_FORMATS`.
        sign_requests: whether we sign what we ask.
        signing_certificate: the PEM of the key; empty where there is none.
    """
    lines = signing_certificate.split("\n")
    body = "".join(line.strip() for line in lines if not line.startswith("-----"))
    key = (
        '<md:KeyDescriptor use="signing">'
        '<ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{escape(body)}</ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f" entityID={quoteattr(service_provider.entity_id)}>"
        f'<md:SPSSODescriptor protocolSupportEnumeration="{SAML_2}"'
        f' AuthnRequestsSigned="{str(sign_requests).lower()}" WantAssertionsSigned="true">'
        f"{key if body else ''}"
        f"<md:NameIDFormat>{NAME_ID_FORMATS[name_id_format]}</md:NameIDFormat>"
        f'<md:AssertionConsumerService index="0" isDefault="true" Binding="{HTTP_POST}"'
        f" Location={quoteattr(service_provider.acs_url)}/>"
        "</md:SPSSODescriptor></md:EntityDescriptor>\n"
    )

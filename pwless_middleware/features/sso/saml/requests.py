"""The request that a browser is sent to a provider with: `AuthnRequest`, by HTTP redirect."""

from __future__ import annotations

import base64
import secrets
import zlib
from typing import Final
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.instants import format_instant
from pwless_middleware.features.sso.saml.names import HTTP_POST, RSA_SHA256
from pwless_middleware.features.sso.saml.settings import (
    NAME_ID_FORMATS,
    SAMLSettings,
    ServiceProvider,
)
from pwless_middleware.features.sso.saml.signing_keys import read_signing_key, sign

_NAMESPACES: Final = (
    'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" '
    'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
)


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A request, made.

    Attributes:
        url: where the browser is sent.
        id: what the answer has to name (`InResponseTo`), once, in the same browser.
    """

    url: str
    id: str


def make_request(
    settings: SAMLSettings,
    service_provider: ServiceProvider,
    *,
    now: int,
    id: str = "",
    relay_state: str = "",
    login_hint: str = "",
    force: bool = False,
    signing_key: bytes | None = None,
) -> AuthnRequest:
    """Make the request of one login (SAML 2.0 Bindings section 3.4, Profiles section 4.1.4.1).

    Args:
        settings: of the connection.
        service_provider: who we are there.
        now: unix seconds.
        id: of the request, an XML name that nobody can guess; empty makes one.
        relay_state: comes back with the answer; providers take 80 bytes at least. Empty for none.
        login_hint: the address of who wants to sign in, for providers that fill it in (Entra ID,
            Okta; others leave the parameter alone). Empty for none.
        force: whether the person has to prove who they are anew, for a step-up (`ForceAuthn`).
        signing_key: the secret of the connection (`make_signing_key`); needed where the settings
            say that requests are signed.

    Raises:
        SSOFault: requests are to be signed, and there is no key.
    """
    id = id or f"_{secrets.token_hex(20)}"
    forced = ' ForceAuthn="true"' if force else ""
    # Entra ID and others refuse a request that asks for `unspecified` in so many words.
    wanted = settings.name_id_format
    named = f" Format={quoteattr(NAME_ID_FORMATS[wanted])}" if wanted != "unspecified" else ""
    xml = (
        f'<samlp:AuthnRequest {_NAMESPACES} ID="{id}" Version="2.0"'
        f' IssueInstant="{format_instant(now)}" Destination={quoteattr(settings.sso_url)}'
        f" AssertionConsumerServiceURL={quoteattr(service_provider.acs_url)}"
        f' ProtocolBinding="{HTTP_POST}"{forced}>'
        f"<saml:Issuer>{escape(service_provider.entity_id)}</saml:Issuer>"
        f'<samlp:NameIDPolicy{named} AllowCreate="true"/></samlp:AuthnRequest>'
    )
    query = {"SAMLRequest": base64.b64encode(_deflate(xml.encode())).decode()}
    if relay_state:
        query["RelayState"] = relay_state
    if settings.sign_requests:
        query = _sign(query, signing_key)
    if login_hint:
        query["login_hint"] = login_hint
    return AuthnRequest(_add_query(settings.sso_url, urlencode(query, quote_via=quote)), id)


def _sign(query: dict[str, str], key: bytes | None) -> dict[str, str]:
    """Return a query with its signature (SAML 2.0 Bindings section 3.4.4.1)."""
    signing = read_signing_key(key, is_checked=True)
    if signing is None:
        raise SSOFault("signing_key_missing")
    query = {**query, "SigAlg": RSA_SHA256}
    signature = sign(signing, urlencode(query, quote_via=quote).encode())
    return {**query, "Signature": base64.b64encode(signature).decode()}


def _deflate(data: bytes) -> bytes:
    """Return data compressed without a header (RFC 1951)."""
    compress = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compress.compress(data) + compress.flush()


def _add_query(url: str, query: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{query}"

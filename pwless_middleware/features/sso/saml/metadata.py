"""Read a provider's metadata: what an administrator fetches, uploads or pastes.

It is trusted because an administrator says that it is the provider's, or because of the TLS of the
server where it is; a signature of its own says nothing more, and is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import AddressRefused, RequestFailed
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.certificates import (
    MOST_CERTIFICATES,
    Certificate,
    read_certificates,
)
from pwless_middleware.features.sso.saml.documents import Element, parse_document, text_of
from pwless_middleware.features.sso.saml.instants import read_instant
from pwless_middleware.features.sso.saml.names import (
    HTTP_POST,
    HTTP_REDIRECT,
    METADATA,
    SAML_2,
    SIGNATURE,
)
from pwless_middleware.safe_http.urls import read_url

if TYPE_CHECKING:
    from pwless_middleware.safe_http.client import SafeHTTPClient

MOST_BYTES: Final = 1_048_576
"""Of metadata (security rule 53)."""
_TRUE: Final = ("true", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderMetadata:
    """What a provider says of itself.

    Attributes:
        entity_id: its name.
        sso_url: where it is asked, by the HTTP-Redirect binding.
        certificates: that it signs with.
        wants_signed_requests: whether it takes no others.
        expires_at: unix seconds after which it should be fetched anew; `None` for never.
    """

    entity_id: str
    sso_url: str
    certificates: tuple[Certificate, ...] = field(repr=False)
    wants_signed_requests: bool = False
    expires_at: int | None = None

    def to_config(self) -> dict[str, object]:
        """Return the fields that it gives to a connection's `config`."""
        config: dict[str, object] = {
            "entity_id": self.entity_id,
            "sso_url": self.sso_url,
            "certificates": [one.pem for one in self.certificates],
        }
        return {**config, "sign_requests": True} if self.wants_signed_requests else config


def read_metadata(xml: bytes, *, now: int, allow_loopback: bool = False) -> ProviderMetadata:
    """Return what metadata says of the one provider that it describes.

    Args:
        xml: as it was fetched or uploaded.
        now: unix seconds.
        allow_loopback: whether the provider may be on this machine, and then by http.

    Raises:
        SSOFault: it is none, or of no provider, or lacks what is needed.
    """
    root = _parse(xml)
    provider = _find_provider(root)
    entity = provider.getparent()
    entity_id = (entity.get("entityID") or "").strip() if entity is not None else ""
    if not entity_id:
        raise SSOFault("metadata_entity")
    expires = _expires_at(provider)
    if expires is not None and expires <= now:
        raise SSOFault("metadata_expired")
    sso_url = _sso_url(provider)
    try:
        read_url(sso_url, allow_loopback=allow_loopback)
    except AddressRefused as error:
        raise SSOFault.of_request(error, sso_url) from error
    return ProviderMetadata(
        entity_id=entity_id,
        sso_url=sso_url,
        certificates=_certificates(provider),
        wants_signed_requests=provider.get("WantAuthnRequestsSigned") in _TRUE,
        expires_at=expires,
    )


async def fetch_metadata(client: SafeHTTPClient, url: str, *, now: int) -> ProviderMetadata:
    """Return what the metadata at an address says (security rule 53).

    Args:
        client: makes the request; reads a megabyte at most.
        url: as it was typed.
        now: unix seconds.

    Raises:
        SSOFault: it cannot be fetched, or as `read_metadata`.
    """
    try:
        answer = await client.request("GET", url, headers={"accept": "application/xml, */*"})
    except RequestFailed as error:
        raise SSOFault.of_request(error, url) from error
    if answer.status != 200:
        raise SSOFault("metadata_status", expected=200, received=answer.status)
    if not answer.is_whole:
        raise SSOFault("metadata_too_large")
    allow_loopback = url.startswith("http:")  # which only a client takes that allows it
    return read_metadata(answer.body, now=now, allow_loopback=allow_loopback)


def _parse(xml: bytes) -> Element:
    beginning = xml[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if beginning.startswith((b"<!doctype html", b"<html")):
        raise SSOFault("metadata_page")
    root = parse_document(xml, "metadata", most_bytes=MOST_BYTES)
    if not root.tag.startswith(METADATA):
        raise SSOFault("metadata_other", received=root.tag.rpartition("}")[2])
    return root


def _find_provider(root: Element) -> Element:
    found = [
        one
        for one in root.iter(f"{METADATA}IDPSSODescriptor")
        if SAML_2 in (one.get("protocolSupportEnumeration") or "").split()
    ]
    if not found:
        is_ours = next(root.iter(f"{METADATA}SPSSODescriptor"), None) is not None
        raise SSOFault("metadata_of_a_service" if is_ours else "metadata_no_provider")
    if len(found) > 1:
        raise SSOFault("metadata_several", received=len(found))
    return found[0]


def _sso_url(provider: Element) -> str:
    services = provider.findall(f"{METADATA}SingleSignOnService")
    for service in services:
        if service.get("Binding") == HTTP_REDIRECT:
            return (service.get("Location") or "").strip()
    bindings = {service.get("Binding") for service in services}
    received = "HTTP-POST" if HTTP_POST in bindings else ""
    raise SSOFault("metadata_no_redirect", expected="HTTP-Redirect", received=received)


def _certificates(provider: Element) -> tuple[Certificate, ...]:
    """Return the certificates of keys that sign; metadata may have others, to encrypt with."""
    found: dict[str, Certificate] = {}
    path = f"{SIGNATURE}KeyInfo/{SIGNATURE}X509Data/{SIGNATURE}X509Certificate"
    for key in provider.findall(f"{METADATA}KeyDescriptor"):
        if key.get("use") in (None, "signing"):
            for element in key.findall(path):
                found |= {one.pem: one for one in read_certificates(text_of(element))}
    if not found:
        raise SSOFault("metadata_no_certificate")
    if len(found) > MOST_CERTIFICATES:
        raise SSOFault("certificate_too_many", received=len(found))
    return tuple(found.values())


def _expires_at(provider: Element) -> int | None:
    """Return the first end among those of a provider and of what is around it."""
    ends = [read_instant(one.get("validUntil")) for one in _around(provider)]
    return min((end for end in ends if end is not None), default=None)


def _around(element: Element) -> Iterator[Element]:
    found: Element | None = element
    while found is not None:
        yield found
        found = found.getparent()

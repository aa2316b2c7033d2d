"""What came from a provider, and all that was wrong with it: for the test of a connection.

A login ends at the first fault. Whoever sets a connection up wants them all, beside what was
expected and what came. So the same checks go on here; what was not signed, or wrongly, is shown as
what it is: something that came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Final

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.person import ProviderPerson
from pwless_middleware.features.sso.saml.assertions import (
    read_assertion,
    read_attributes,
)
from pwless_middleware.features.sso.saml.certificates import warn_of_certificates
from pwless_middleware.features.sso.saml.documents import Element, parse_document, text_of
from pwless_middleware.features.sso.saml.names import ASSERTION, SIGNATURE
from pwless_middleware.features.sso.saml.person import read_person
from pwless_middleware.features.sso.saml.responses import (
    Expected,
    check_assertion,
    check_response,
    decode_response,
    latest_use,
    verify_signatures,
)
from pwless_middleware.features.sso.saml.settings import SAMLSettings, ServiceProvider
from pwless_middleware.features.sso.saml.signatures import (
    algorithm_of,
    certificate_within,
    signature_of,
)
from pwless_middleware.text import Text

_LENGTH: Final = 300


@dataclass(frozen=True, slots=True)
class Received:
    """One thing that came.

    Attributes:
        label: what it is, for people.
        value: as it came, cut to a bounded length; to be shown as text.
    """

    label: Text
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came, and what was wrong with it.

    Attributes:
        faults: all that a login would have failed by; none if it would have worked.
        warnings: what will be a fault one day, or leaves something out.
        received: what the answer says, in the order in which it is read.
        attributes: of the person, by name.
        person: what was read of them; `None` where there are faults.
    """

    faults: tuple[SSOFault, ...] = ()
    warnings: tuple[SSOFault, ...] = ()
    received: tuple[Received, ...] = field(default=(), repr=False)
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    person: ProviderPerson | None = None

    @property
    def is_good(self) -> bool:
        """Whether a login would have worked."""
        return not self.faults


def explain_response(
    form_field: str,
    settings: SAMLSettings,
    service_provider: ServiceProvider,
    *,
    request_id: str | None,
    now: int,
) -> Report:
    """Return what is in an answer, and all that is wrong with it.

    Args:
        form_field: `SAMLResponse`, as it was posted.
        settings: of the connection.
        service_provider: who we are there.
        request_id: of the request that the test was begun with.
        now: unix seconds.
    """
    expected = Expected(
        settings=settings, service_provider=service_provider, request_id=request_id, now=now
    )
    try:
        root = parse_document(decode_response(form_field), "response")
    except SSOFault as fault:
        return Report(faults=(fault,))
    faults = list(check_response(root, expected))
    came = next(root.iter(f"{ASSERTION}Assertion"), None)
    received = tuple(_list_received(root, came))
    if came is None or any(fault.code.startswith("status_") for fault in faults):
        return Report(faults=tuple(faults), received=received)
    try:
        signed = verify_signatures(root, settings)
    except SSOFault as fault:
        faults.append(fault)
        signed = came  # to go on with what else is wrong
    told = {(fault.code, fault.received) for fault in faults}
    faults += [
        fault
        for fault in check_assertion(signed, expected)
        if (fault.code, fault.received) not in told
    ]
    person, attributes = None, dict[str, tuple[str, ...]]()
    try:
        attributes = read_attributes(signed)
        assertion = read_assertion(
            signed, issuer=settings.entity_id, spent_until=latest_use(signed)
        )
        person = read_person(settings, assertion)
    except SSOFault as fault:
        faults += [] if fault.code in {one.code for one in faults} else [fault]
    return Report(
        faults=tuple(faults),
        warnings=tuple(_warnings(settings, person, now)),
        received=received,
        attributes=tuple(attributes.items()),
        person=None if faults else person,
    )


def _list_received(root: Element, assertion: Element | None) -> Iterator[Received]:
    """Go through what an answer says."""
    where = assertion if assertion is not None else root
    subject = where.find(f"{ASSERTION}Subject")
    name_id = subject.find(f"{ASSERTION}NameID") if subject is not None else None
    condition = f"{ASSERTION}Conditions"
    signature = next(root.iter(f"{SIGNATURE}Signature"), None)
    named = certificate_within(signature) if signature is not None else None
    found = (
        (Text("Issuer"), text_of(where.find(f"{ASSERTION}Issuer"))),
        (Text("Destination"), root.get("Destination")),
        (Text("Answer to"), root.get("InResponseTo")),
        (Text("NameID"), text_of(name_id)),
        (Text("NameID format"), name_id.get("Format") if name_id is not None else None),
        (Text("Audience"), ", ".join(_texts(where, f"{condition}//{ASSERTION}Audience"))),
        (Text("Recipient"), ", ".join(_values(where, "SubjectConfirmationData", "Recipient"))),
        (Text("Issued at"), where.get("IssueInstant")),
        (Text("Valid from"), ", ".join(_values(where, "Conditions", "NotBefore"))),
        (Text("Valid until"), ", ".join(_values(where, "Conditions", "NotOnOrAfter"))),
        (Text("Signed in at"), ", ".join(_values(where, "AuthnStatement", "AuthnInstant"))),
        (Text("Signed"), ", ".join(_name_signed(root, assertion))),
        (Text("Signature algorithm"), algorithm_of(signature) if signature is not None else None),
        (Text("Certificate (SHA-256)"), named.fingerprint if named is not None else None),
    )
    for label, value in found:
        if value:
            yield Received(label, value if len(value) <= _LENGTH else value[: _LENGTH - 1] + "…")


def _texts(element: Element, path: str) -> list[str]:
    return [text_of(one) for one in element.findall(path)[:10]]


def _values(element: Element, name: str, attribute: str) -> list[str]:
    found = [one.get(attribute) or "" for one in element.iter(f"{ASSERTION}{name}")]
    return [value for value in found[:10] if value]


def _name_signed(root: Element, assertion: Element | None) -> Iterator[str]:
    if signature_of(root) is not None:
        yield "Response"
    if assertion is not None and signature_of(assertion) is not None:
        yield "Assertion"


def _warnings(
    settings: SAMLSettings, person: ProviderPerson | None, now: int
) -> Iterator[SSOFault]:
    yield from warn_of_certificates(settings.certificates, now)
    if person is not None and parse_address(person.subject) is not None:
        yield SSOFault("subject_address")
    if person is not None and person.email is None:
        yield SSOFault("address_missing", expected=settings.email_attribute)
    if person is not None and settings.roles and not person.groups:
        yield SSOFault("groups_missing", expected=settings.groups_attribute)

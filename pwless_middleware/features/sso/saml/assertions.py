"""The assertion: what a provider says of a person, once its signature has been verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.documents import Element, children_of, text_of
from pwless_middleware.features.sso.saml.instants import read_instant
from pwless_middleware.features.sso.saml.names import ASSERTION, PERSISTENT, UNSPECIFIED

MOST_VALUES: Final = 4000
"""Of all attributes together; Entra ID sends 150 groups at most, others all that there are."""
VALUE_LENGTH: Final = 2000

_MFA_CONTEXTS: Final = frozenset(
    {
        "https://refeds.org/profile/mfa",
        "http://schemas.microsoft.com/claims/multipleauthn",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
    }
)
"""What providers call a login with a second factor: REFEDS, Microsoft, SAML 2.0 AuthnContext."""
_MFA_ATTRIBUTES: Final = (
    "http://schemas.microsoft.com/claims/authnmethodsreferences",
    "amr",
)
"""Where Entra ID and ADFS say so, instead of in the context."""
_MFA_VALUES: Final = _MFA_CONTEXTS | {"mfa"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What a provider says of a person.

    Attributes:
        id: the provider's; it is accepted once (security rule 52).
        spent_until: unix seconds until which it has to be remembered that it was.
        name_id: what the person is named by.
        name_id_format: of which kind that is (SAML 2.0 Core section 8.3).
        name_qualifier: within which the name is unique, where that is not the provider.
        attributes: the values of each, by name and by friendly name.
        authenticated_at: unix seconds at which the person signed in at the provider.
        ends_at: unix seconds at which the provider wants sessions to end; `None` for any time.
        claims_mfa: whether the provider says that it asked for a second factor.
    """

    id: str
    spent_until: int
    name_id: str = field(repr=False)
    name_id_format: str
    name_qualifier: str = ""
    attributes: Mapping[str, tuple[str, ...]] = field(repr=False)
    authenticated_at: int
    ends_at: int | None = None
    claims_mfa: bool = False


def read_assertion(element: Element, *, issuer: str, spent_until: int) -> Assertion:
    """Return what an assertion says. It is one whose signature and conditions are checked.

    Args:
        element: as the signature covers it.
        issuer: whose it is.
        spent_until: unix seconds until which nobody can present it again.

    Raises:
        SSOFault: nobody is named, or it does not say that somebody signed in.
    """
    name_id = element.find(f"{ASSERTION}Subject/{ASSERTION}NameID")
    if name_id is None or not text_of(name_id):
        raise SSOFault("assertion_subject")
    statement = element.find(f"{ASSERTION}AuthnStatement")
    at = read_instant(statement.get("AuthnInstant")) if statement is not None else None
    if statement is None or at is None:
        raise SSOFault("assertion_statement")
    attributes = read_attributes(element)
    kind = name_id.get("Format") or UNSPECIFIED
    qualifier = name_id.get("NameQualifier") or ""
    contexts = {
        text_of(one)
        for one in statement.findall(f"{ASSERTION}AuthnContext/{ASSERTION}AuthnContextClassRef")
    }
    said = {value for name in _MFA_ATTRIBUTES for value in attributes.get(name, ())}
    return Assertion(
        id=element.get("ID") or "",
        spent_until=spent_until,
        name_id=text_of(name_id),
        name_id_format=kind,
        name_qualifier=qualifier if kind == PERSISTENT and qualifier != issuer else "",
        attributes=attributes,
        authenticated_at=at,
        ends_at=read_instant(statement.get("SessionNotOnOrAfter")),
        claims_mfa=bool(contexts & _MFA_CONTEXTS or said & _MFA_VALUES),
    )


def read_attributes(assertion: Element) -> dict[str, tuple[str, ...]]:
    """Return the values of an assertion's attributes, by their names and by their friendly names.

    A friendly name says nothing that a name says: it is for people, and any provider may choose it.

    Raises:
        SSOFault: there are too many, or one is too long.
    """
    named: dict[str, list[str]] = {}
    friendly: dict[str, list[str]] = {}
    count = 0
    for attribute in assertion.findall(f"{ASSERTION}AttributeStatement/{ASSERTION}Attribute"):
        values = []
        for child in attribute.findall(f"{ASSERTION}AttributeValue"):
            # eduPersonTargetedID has a NameID within.
            inner = children_of(child) if len(child) else ()
            text = text_of(inner[0] if len(inner) == 1 else child)
            count += 1
            if count > MOST_VALUES or len(text) > VALUE_LENGTH:
                raise SSOFault("assertion_attributes")
            if text:
                values.append(text)
        named.setdefault(attribute.get("Name") or "", []).extend(values)
        friendly.setdefault(attribute.get("FriendlyName") or "", []).extend(values)
    return {
        name: tuple(values) for name, values in {**friendly, **named}.items() if name and values
    }

"""Read a person from an assertion, by the names that providers have for attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.core.organizations.connection import SUBJECT_LENGTH
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.person import ProviderPerson, clean_groups, clean_name
from pwless_middleware.features.sso.saml.assertions import Assertion
from pwless_middleware.features.sso.saml.names import TRANSIENT
from pwless_middleware.features.sso.saml.settings import SAMLSettings

_CLAIMS: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
_MICROSOFT: Final = "http://schemas.microsoft.com"
EMAIL_ATTRIBUTES: Final = (
    f"{_CLAIMS}/emailaddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "email",
    "mail",
    "emailaddress",
    "email_address",
    "user.email",
)
"""What providers call an address: Entra ID and ADFS, Shibboleth (RFC 4524), Okta and others."""
NAME_ATTRIBUTES: Final = (
    f"{_MICROSOFT}/identity/claims/displayname",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "displayname",
    "display_name",
    "fullname",
    "full_name",
    "urn:oid:2.5.4.3",
    "cn",
)
FIRST_NAME_ATTRIBUTES: Final = (
    f"{_CLAIMS}/givenname",
    "urn:oid:2.5.4.42",
    "givenname",
    "firstname",
    "first_name",
    "user.firstname",
)
LAST_NAME_ATTRIBUTES: Final = (
    f"{_CLAIMS}/surname",
    "urn:oid:2.5.4.4",
    "sn",
    "surname",
    "lastname",
    "last_name",
    "user.lastname",
)
GROUPS_ATTRIBUTES: Final = (
    f"{_MICROSOFT}/ws/2008/06/identity/claims/groups",
    "http://schemas.xmlsoap.org/claims/group",
    "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
    "groups",
    "group",
    "memberof",
    "ismemberof",
)
_SUBJECT: Final = re.compile(rf"[^{CONTROL}]{{1,{SUBJECT_LENGTH}}}")


def read_person(settings: SAMLSettings, assertion: Assertion) -> ProviderPerson:
    """Return what an assertion says of a person.

    Args:
        settings: say which attributes are read, where they are not the usual ones.
        assertion: verified.

    Raises:
        SSOFault: the person is named by nothing that lasts, or that can be kept.
    """
    attributes = {name.lower(): values for name, values in assertion.attributes.items()}
    email = _first(attributes, settings.email_attribute, EMAIL_ATTRIBUTES)
    if not email and not settings.email_attribute:
        email = assertion.name_id  # of whichever format: many providers say `unspecified`
    name = _first(attributes, settings.name_attribute, NAME_ATTRIBUTES)
    if not name and not settings.name_attribute:
        parts = (FIRST_NAME_ATTRIBUTES, LAST_NAME_ATTRIBUTES)
        name = " ".join(_first(attributes, "", names) for names in parts)
    return ProviderPerson(
        subject=_read_subject(settings, assertion),
        email=parse_address(email),
        name=clean_name(name),
        groups=clean_groups(_values(attributes, settings.groups_attribute, GROUPS_ATTRIBUTES)),
        has_mfa=assertion.claims_mfa,
        authenticated_at=assertion.authenticated_at,
        claims={name: list(values) for name, values in assertion.attributes.items()},
    )


def _read_subject(settings: SAMLSettings, assertion: Assertion) -> str:
    if settings.subject_attribute:
        values = assertion.attributes.get(settings.subject_attribute, ())
        if len(values) != 1:
            raise SSOFault("subject_attribute", expected=settings.subject_attribute)
        subject = values[0]
    elif assertion.name_id_format == TRANSIENT:
        raise SSOFault("assertion_transient", received=TRANSIENT)
    else:
        # Within another name than the provider's own (SAML 2.0 Core section 8.3.7), two people may
        # be named alike.
        qualifier = assertion.name_qualifier
        subject = f"{qualifier}!{assertion.name_id}" if qualifier else assertion.name_id
    if not _SUBJECT.fullmatch(subject):
        raise SSOFault("subject_malformed")
    return subject


def _values(
    attributes: Mapping[str, tuple[str, ...]], given: str, usual: tuple[str, ...]
) -> tuple[str, ...]:
    names = (given.lower(),) if given else usual
    return next((attributes[name] for name in names if attributes.get(name)), ())


def _first(attributes: Mapping[str, tuple[str, ...]], given: str, usual: tuple[str, ...]) -> str:
    return next(iter(_values(attributes, given, usual)), "")

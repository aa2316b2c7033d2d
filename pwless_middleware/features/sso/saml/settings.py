"""What a connection by SAML is set to: `Connection.config`, read strictly; and who we are to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.errors import AddressRefused, FieldViolation, InvalidArgument
from pwless_middleware.features.sso.config_fields import (
    ONE_LINE,
    BadField,
    read_flag,
    read_role,
    read_roles,
    text_like,
)
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.certificates import (
    MOST_CERTIFICATES,
    Certificate,
    read_certificates,
)
from pwless_middleware.features.sso.saml.names import EMAIL, PERSISTENT, UNSPECIFIED
from pwless_middleware.safe_http.urls import read_url
from pwless_middleware.text import Text

NAME_ID_FORMATS: Final[Mapping[str, str]] = {
    "unspecified": UNSPECIFIED,
    "email": EMAIL,
    "persistent": PERSISTENT,
}
"""What a provider is asked to name people by (SAML 2.0 Core section 8.3)."""
_ENTITY_ID: Final = re.compile(rf"[^{CONTROL}\s]{{1,1024}}")
"""SAML 2.0 Core section 8.3.6."""
_PRESET: Final = re.compile(r"[a-z_]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProvider:
    """Who we are to a provider: each connection has names of its own (SAML: service provider).

    Attributes:
        entity_id: whom its answers are for.
        acs_url: where its answers go (SAML: assertion consumer service).
    """

    entity_id: str
    acs_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SAMLSettings:
    """What is known of a provider, and how its attributes are read.

    Attributes:
        entity_id: as the provider names itself, letter by letter.
        sso_url: where it is asked, by the HTTP-Redirect binding.
        certificates: that it signs with: several while it changes from one to another.
        metadata_url: where it describes itself; empty where nothing is fetched.
        preset: which provider it is; `saml` for any.
        name_id_format: what it is asked to name people by, of `NAME_ID_FORMATS`.
        subject_attribute: the attribute that names a person for good; empty for the NameID.
        email_attribute, name_attribute, groups_attribute: which attributes hold the address, the
            name, and the groups; empty for those that providers use.
        roles: pairs of a group and the role that its people have; the first pair counts that names
            a group of the person.
        default_role: the role of who is in none of them; `None` leaves the role as it is.
        counts_mfa: whether a second factor that the provider says it has asked for counts here.
        sign_requests: whether we sign what we ask.
        signing_certificate: the PEM of the key that we sign with; empty where there is none.
        allow_unsolicited: whether logins are accepted that the provider began (security rule 52).
    """

    entity_id: str
    sso_url: str
    certificates: tuple[Certificate, ...]
    metadata_url: str = ""
    preset: str = "saml"
    name_id_format: str = "unspecified"
    subject_attribute: str = ""
    email_attribute: str = ""
    name_attribute: str = ""
    groups_attribute: str = ""
    roles: tuple[tuple[str, str], ...] = ()
    default_role: str | None = None
    counts_mfa: bool = False
    sign_requests: bool = False
    signing_certificate: str = ""
    allow_unsolicited: bool = False

    def to_json(self) -> dict[str, object]:
        """Return it as a connection keeps it; what is as by default is left out."""
        usual = SAMLSettings(entity_id="", sso_url="", certificates=())
        given = {name: getattr(self, name) for name in _READERS}
        kept = {name: value for name, value in given.items() if value != getattr(usual, name)}
        kept["certificates"] = [one.pem for one in self.certificates]
        if self.roles:
            kept["roles"] = [list(pair) for pair in self.roles]
        return kept


def read_saml_settings(
    config: Mapping[str, object], *, allow_loopback: bool = False
) -> SAMLSettings:
    """Return what a connection's configuration says.

    Args:
        config: as it was typed, or is kept.
        allow_loopback: whether the provider may be on this machine, and then by http.

    Raises:
        InvalidArgument: a field is missing, malformed or unknown; each is named.
    """
    found: dict[str, object] = {}
    violations = [
        FieldViolation(str(name)[:40], Text("There is no such field."), "known")
        for name in config.keys() - _READERS.keys()
    ]
    for name, read in _READERS.items():
        value = config.get(name)
        if value is None or value in ("", []):
            if name in _REQUIRED:
                required = Text("This field is required.")
                violations.append(FieldViolation(name, required, "required"))
            continue
        try:
            found[name] = read(value)
            if name in _URLS:
                read_url(str(found[name]), allow_loopback=allow_loopback)
        except BadField as bad:
            violations.append(FieldViolation(name, bad.text, bad.constraint))
        except SSOFault as fault:
            violations.append(FieldViolation(name, fault.text, fault.code))
        except AddressRefused as error:
            violations.append(FieldViolation(name, error.text, error.fault))
    if violations:
        raise InvalidArgument(violations)
    return SAMLSettings(**found)  # type: ignore[arg-type]  # each was read by its reader


def _read_certificates(value: object) -> tuple[Certificate, ...]:
    texts = [value] if isinstance(value, str) else value
    if (
        not isinstance(texts, list | tuple)
        or len(texts) > MOST_CERTIFICATES
        or not all(isinstance(one, str) for one in texts)
    ):
        raise SSOFault("certificate_malformed")
    found = {one.pem: one for text in texts for one in read_certificates(text)}
    if len(found) > MOST_CERTIFICATES:
        raise SSOFault("certificate_too_many", received=len(found))
    return tuple(found.values())


def _read_signing_certificate(value: object) -> str:
    return _read_certificates(value)[0].pem


def _read_name_id_format(value: object) -> str:
    if value not in NAME_ID_FORMATS:
        raise BadField(Text("Choose unspecified, email or persistent."), "|".join(NAME_ID_FORMATS))
    return str(value)


_URL: Final = text_like(re.compile(r"\S{1,2000}"), Text("This is not an address of a server."))
_NAME: Final = text_like(ONE_LINE, Text("Name an attribute as the provider does."))
_REQUIRED: Final = ("entity_id", "sso_url", "certificates")
_URLS: Final = ("sso_url", "metadata_url")
_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "entity_id": text_like(_ENTITY_ID, Text("Enter the entity ID as the provider shows it.")),
    "sso_url": _URL,
    "certificates": _read_certificates,
    "metadata_url": _URL,
    "preset": text_like(_PRESET, Text("There is no such provider.")),
    "name_id_format": _read_name_id_format,
    "subject_attribute": _NAME,
    "email_attribute": _NAME,
    "name_attribute": _NAME,
    "groups_attribute": _NAME,
    "roles": read_roles,
    "default_role": read_role,
    "counts_mfa": read_flag,
    "sign_requests": read_flag,
    "signing_certificate": _read_signing_certificate,
    "allow_unsolicited": read_flag,
}

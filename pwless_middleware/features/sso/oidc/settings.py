"""What a connection by OpenID Connect is set to: `Connection.config`, read strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, Literal

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
from pwless_middleware.safe_http.urls import read_url
from pwless_middleware.text import Text

ClientAuth = Literal["basic", "post"]

WELL_KNOWN: Final = "/.well-known/openid-configuration"
"""Where a provider describes itself, below its issuer (OpenID Connect Discovery section 4)."""
TENANT: Final = "{tenantid}"
"""What stands in the issuer of Entra for the tenant (the claim `tid`)."""
_TENANTS: Final = re.compile(r"/(?:common|organizations|consumers)/")
SCOPES: Final = ("openid", "email", "profile")
MOST_SCOPES: Final = 20
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")
"""RFC 6749 section 3.3."""
PRESET_IDS: Final = ("google", "entra", "okta", "oidc")


@dataclass(frozen=True, slots=True, kw_only=True)
class OIDCSettings:
    """How a provider is asked, and how its claims are read.

    Attributes:
        issuer: as the provider names itself, letter by letter.
        client_id: as which the provider knows this deployment.
        preset: which provider it is (`presets.PRESETS`); `oidc` for any.
        scopes: what is asked for; `openid` is always among them.
        client_auth: how the client secret is sent (RFC 6749 section 2.3.1); `None` takes what the
            provider offers, `basic` first.
        email_claim, name_claim, groups_claim: which claims hold the address, the name, and the
            groups; a dot leads into an object.
        roles: pairs of a group and the role that its people have; the first pair counts that names
            a group of the person.
        default_role: the role of who is in none of them; `None` leaves the role as it is.
        counts_mfa: whether a second factor that the provider says it has asked for counts here.
        has_tenants: whether it is Entra for the accounts of all its customers, each of which is an
            issuer of its own. Of no organization's connection: anybody would be in; so that it is
            no field of a configuration.
    """

    issuer: str
    client_id: str
    preset: str = "oidc"
    scopes: tuple[str, ...] = SCOPES
    client_auth: ClientAuth | None = None
    email_claim: str = "email"
    name_claim: str = "name"
    groups_claim: str = "groups"
    roles: tuple[tuple[str, str], ...] = ()
    default_role: str | None = None
    counts_mfa: bool = False
    has_tenants: bool = False

    @property
    def named_issuer(self) -> str:
        """What the provider calls itself in its configuration."""
        return _TENANTS.sub(f"/{TENANT}/", self.issuer) if self.has_tenants else self.issuer

    def to_json(self) -> dict[str, object]:
        """Return it as a connection keeps it; what is as by default is left out."""
        given = {name: getattr(self, name) for name in _READERS}
        usual = OIDCSettings(issuer="", client_id="")
        kept = {name: value for name, value in given.items() if value != getattr(usual, name)}
        if self.scopes != SCOPES:
            kept["scopes"] = list(self.scopes)
        if self.roles:
            kept["roles"] = [list(pair) for pair in self.roles]
        return kept


def read_oidc_settings(
    config: Mapping[str, object], *, judge: Callable[[str], object] = read_url
) -> OIDCSettings:
    """Return what a connection's configuration says.

    Args:
        config: as it was typed, or is kept.
        judge: says whether requests go to an address (`SafeHTTPClient.read_url`).

    Raises:
        InvalidArgument: a field is missing, malformed or unknown; each is named.
    """
    found: dict[str, object] = {}
    unknown = sorted(config.keys() - _READERS.keys())
    violations = [FieldViolation(one[:40], Text("There is no such field."), "") for one in unknown]
    for name, read in _READERS.items():
        value = config.get(name)
        if value is None:
            continue
        try:
            found[name] = read(value)
        except BadField as bad:
            violations.append(FieldViolation(name, bad.text, bad.constraint))
    for name in ("issuer", "client_id"):
        if config.get(name) in (None, ""):
            violations = [one for one in violations if one.field != name]
            violations.append(FieldViolation(name, Text("This field is required."), "required"))
    issuer = found.get("issuer")
    if isinstance(issuer, str):
        try:
            judge(issuer)
        except AddressRefused as error:
            violations.append(FieldViolation("issuer", error.text, error.fault))
    if violations:
        raise InvalidArgument(violations)
    return OIDCSettings(**found)  # type: ignore[arg-type]  # each was read by its reader


def clean_issuer(text: str) -> str:
    """Return an issuer as somebody meant it who pasted the address of its configuration."""
    return text.strip().removesuffix(WELL_KNOWN)


def _read_issuer(value: object) -> str:
    issuer = clean_issuer(value) if isinstance(value, str) else ""
    if "?" in issuer or not issuer:  # OpenID Connect Discovery section 3: no query
        raise BadField(
            Text("Enter the issuer as the provider shows it, without a query."), "issuer"
        )
    return issuer


def _read_scopes(value: object) -> tuple[str, ...]:
    given = value.split() if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or len(given) > MOST_SCOPES:
        raise BadField(Text("List the scopes, with a space between two."), "scopes")
    if not all(isinstance(one, str) and _SCOPE.fullmatch(one) for one in given):
        raise BadField(Text("List the scopes, with a space between two."), "scopes")
    return tuple(dict.fromkeys(("openid", *given)))


def _one_of(words: tuple[str, ...], text: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in words:
            raise BadField(text, "|".join(words))
        return str(value)

    return read


_CLAIM = text_like(ONE_LINE, Text("Name a claim."))
_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "issuer": _read_issuer,
    "client_id": text_like(ONE_LINE, Text("Enter the client ID as the provider shows it.")),
    "preset": _one_of(PRESET_IDS, Text("There is no such provider.")),
    "scopes": _read_scopes,
    "client_auth": _one_of(("basic", "post"), Text("Choose basic or post.")),
    "email_claim": _CLAIM,
    "name_claim": _CLAIM,
    "groups_claim": _CLAIM,
    "roles": read_roles,
    "default_role": read_role,
    "counts_mfa": read_flag,
}

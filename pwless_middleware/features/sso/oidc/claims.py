"""What a provider says of a person: address, name, groups, second factor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from pwless_middleware.core.address import Address, parse_address
from pwless_middleware.core.control_characters import BIDI, CONTROL, LINE_ENDS
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.oidc.settings import OIDCSettings

MOST_GROUPS: Final = 1000
"""Of a person that are read."""
NAME_LENGTH: Final = 100
_GROUP_LENGTH: Final = 256
_INVISIBLE: Final = re.compile(f"[{CONTROL}{LINE_ENDS}{BIDI}]")
_MULTI_FACTOR: Final = frozenset(
    (
        "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
        "https://refeds.org/profile/mfa",
        "phr",  # phishing-resistant, and in hardware (OpenID EAP ACR Values 1.0)
        "phrh",
    )
)
"""Values of `acr` that say that there were two factors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderPerson:
    """A person, as a provider describes them.

    Attributes:
        subject: who, for this provider, for ever.
        email: the address; `None` where it says none, or none that can be used.
        is_email_verified: whether it says that the address is verified; `None` where it says
            nothing of that.
        name: for people; empty for none.
        groups: as it names them.
        has_mfa: whether it says that it has asked for a second factor.
        authenticated_at: when the person has signed in there, unix seconds; `None` where it does
            not say.
        claims: all that it says, for the test of a connection.
    """

    subject: str = field(repr=False)
    email: Address | None = field(default=None, repr=False)
    is_email_verified: bool | None = None
    name: str = field(default="", repr=False)
    groups: tuple[str, ...] = ()
    has_mfa: bool = False
    authenticated_at: int | None = None
    claims: Mapping[str, object] = field(default_factory=dict, repr=False)


def read_person(
    settings: OIDCSettings, subject: str, token: Mapping[str, object], more: Mapping[str, object]
) -> ProviderPerson:
    """Return what claims say of a person.

    Args:
        settings: say which claims are read.
        subject: who it is.
        token: the claims of the ID token. They count before others.
        more: those of userinfo, of the same subject; empty where it was not asked.
    """
    # An address, and whether it is verified, are of one source: that one address is verified says
    # nothing about another.
    source = token if has_claim(token, settings.email_claim) else more
    email = find_claim(source, settings.email_claim)
    given = find_claim(token, settings.name_claim) or find_claim(more, settings.name_claim)
    groups = token if has_claim(token, settings.groups_claim) else more
    at = token.get("auth_time")
    return ProviderPerson(
        subject=subject,
        email=parse_address(email) if isinstance(email, str) else None,
        is_email_verified=_read_flag(source.get("email_verified")),
        name=_read_name(given),
        groups=_read_groups(find_claim(groups, settings.groups_claim)),
        has_mfa=_has_mfa(token),
        authenticated_at=int(at) if isinstance(at, int) and not isinstance(at, bool) else None,
        claims={**more, **token},
    )


def find_claim(claims: Mapping[str, object], name: str) -> object:
    """Return a claim by its name, or where its name leads, as `realm_access.roles`; or `None`."""
    if name in claims:  # also `https://acme.example/groups`, whose dots are no path
        return claims[name]
    found: object = claims
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def has_claim(claims: Mapping[str, object], name: str) -> bool:
    """Whether a claim is there and says something."""
    return find_claim(claims, name) not in (None, "")


def role_of(settings: OIDCSettings, groups: tuple[str, ...]) -> str | None:
    """Return the role that a person's groups give; `None` leaves it as it is."""
    if not settings.roles and settings.default_role is None:
        return None
    there = frozenset(groups)
    found = (role for group, role in settings.roles if group in there)
    return next(found, settings.default_role)


def _read_flag(value: object) -> bool | None:
    """Return what a flag says; some write it as a text (Amazon Cognito), or as a number (Entra)."""
    if value in (True, "true", "True", "1"):
        return True
    return None if value is None else False


def _read_name(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return " ".join(_INVISIBLE.sub(" ", text).split())[:NAME_LENGTH]


def _read_groups(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    texts = (one for one in listed[:MOST_GROUPS] if isinstance(one, str))
    return tuple(one for one in texts if 0 < len(one) <= _GROUP_LENGTH)


def _has_mfa(claims: Mapping[str, object]) -> bool:
    """Whether a token says that there were two factors (RFC 8176, and what is said by `acr`)."""
    methods, context = claims.get("amr"), claims.get("acr")
    if isinstance(methods, list) and "mfa" in methods:
        return True
    return isinstance(context, str) and context in _MULTI_FACTOR

"""What a provider says of a person: address, name, groups, second factor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.features.sso.oidc.settings import OIDCSettings
from pwless_middleware.features.sso.person import ProviderPerson, clean_groups, clean_name

_MULTI_FACTOR: Final = frozenset(
    (
        "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
        "https://refeds.org/profile/mfa",
        "phr",  # phishing-resistant, and in hardware (OpenID EAP ACR Values 1.0)
        "phrh",
    )
)
"""Values of `acr` that say that there were two factors."""


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
    named = find_claim(groups, settings.groups_claim)
    at = token.get("auth_time")
    return ProviderPerson(
        subject=subject,
        email=parse_address(email) if isinstance(email, str) else None,
        is_email_verified=_read_flag(source.get("email_verified")),
        name=clean_name(given) if isinstance(given, str) else "",
        groups=clean_groups(named if isinstance(named, list) else [named]),
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


def _read_flag(value: object) -> bool | None:
    """Return what a flag says; some write it as a text (Amazon Cognito), or as a number (Entra)."""
    if value in (True, "true", "True", "1"):
        return True
    return None if value is None else False


def _has_mfa(claims: Mapping[str, object]) -> bool:
    """Whether a token says that there were two factors (RFC 8176, and what is said by `acr`)."""
    methods, context = claims.get("amr"), claims.get("acr")
    if isinstance(methods, list) and "mfa" in methods:
        return True
    return isinstance(context, str) and context in _MULTI_FACTOR

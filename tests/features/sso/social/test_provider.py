"""For which addresses the word of a provider counts (security rule 50)."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware.features.sso.oidc.claims import read_person
from pwless_middleware.features.sso.oidc.settings import OIDCSettings
from pwless_middleware.features.sso.social.provider import SocialProvider


def vouches(preset: Any, claims: dict[str, Any], *domains: str) -> bool:
    settings = OIDCSettings(issuer="https://login.example", client_id="x", preset=preset)
    provider = SocialProvider(
        id=preset, title=preset, settings=settings, domains=frozenset(domains)
    )
    return provider.vouches_for(read_person(settings, "1", claims, {}))


@pytest.mark.parametrize(
    ("claims", "counts"),
    [
        ({"email": "jo@gmail.com", "email_verified": True}, True),
        ({"email": "jo@googlemail.com", "email_verified": True}, True),
        ({"email": "jo@acme.com", "email_verified": True, "hd": "acme.com"}, True),
        ({"email": "jo@acme.com", "email_verified": True, "hd": "ACME.com"}, True),
        ({"email": "jo@gmail.com", "email_verified": False}, False),
        ({"email": "jo@gmail.com"}, False),
        ({"email": "jo@acme.com", "email_verified": True}, False),
        ({"email": "jo@acme.com", "email_verified": True, "hd": "other.com"}, False),
        ({"email": "jo@sub.acme.com", "email_verified": True, "hd": "acme.com"}, False),
        ({"email": "jo@acme.com", "email_verified": False, "hd": "acme.com"}, False),
        ({"email": "jo@evil-gmail.com", "email_verified": True}, False),
        ({"email": "jo@gmail.com.evil.com", "email_verified": True}, False),
        ({"email": "jo@acme.com", "email_verified": True, "hd": ["acme.com"]}, False),
        ({"email_verified": True, "hd": "acme.com"}, False),
    ],
)
def test_google_is_believed_about_its_own(claims: dict[str, Any], counts: bool) -> None:
    assert vouches("google", claims) is counts


@pytest.mark.parametrize(
    ("claims", "counts"),
    [
        ({"email": "jo@acme.com"}, False),
        ({"email": "jo@acme.com", "email_verified": True}, False),
        ({"email": "jo@acme.com", "xms_edov": True}, True),
        ({"email": "jo@acme.com", "xms_edov": "1"}, True),
        ({"email": "jo@acme.com", "xms_edov": False}, False),
        ({"email": "jo@acme.com", "xms_edov": 0}, False),
        ({"email": "jo@acme.com", "xms_edov": "no"}, False),
        ({"xms_edov": True}, False),
    ],
)
def test_entra_is_believed_where_it_says_that_the_tenant_owns_the_domain(
    claims: dict[str, Any], counts: bool
) -> None:
    """An administrator of any tenant can set any address (the attack is known as nOAuth)."""
    assert vouches("entra", claims) is counts


def test_any_other_is_believed_about_the_hosts_own_domains_alone() -> None:
    verified = {"email": "jo@acme.com", "email_verified": True}
    assert not vouches("oidc", verified)
    assert not vouches("oidc", {**verified, "hd": "acme.com", "xms_edov": True})
    assert vouches("oidc", verified, "acme.com")
    assert not vouches("oidc", {"email": "jo@acme.com"}, "acme.com")
    assert not vouches("oidc", {**verified, "email": "jo@sub.acme.com"}, "acme.com")

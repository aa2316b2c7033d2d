"""What a connection may be set to."""

from __future__ import annotations

from typing import Any

import pytest

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.oidc.settings import OIDCSettings, read_oidc_settings
from pwless_middleware.safe_http.client import SafeHTTPClient

GOOD: dict[str, Any] = {"issuer": "https://login.acme.example/", "client_id": "acme-app"}


def client(**options: Any) -> SafeHTTPClient:
    return SafeHTTPClient("features", extra="sso", **options)


def test_two_fields_are_enough() -> None:
    found = read_oidc_settings(GOOD)
    assert found == OIDCSettings(issuer="https://login.acme.example/", client_id="acme-app")
    assert found.to_json() == GOOD


def test_all_fields_are_read_and_kept_as_they_were() -> None:
    given = {
        **GOOD,
        "preset": "okta",
        "scopes": ["openid", "email", "groups"],
        "client_auth": "post",
        "email_claim": "upn",
        "name_claim": "display_name",
        "groups_claim": "realm_access.roles",
        "roles": [["admins", "owner"], ["staff", ""]],
        "default_role": "reader",
        "counts_mfa": True,
    }
    found = read_oidc_settings(given)
    assert found.to_json() == given
    assert read_oidc_settings(found.to_json()) == found


def test_the_address_of_the_configuration_is_taken_for_the_issuer() -> None:
    pasted = " https://login.acme.example/v2.0/.well-known/openid-configuration "
    assert read_oidc_settings({**GOOD, "issuer": pasted}).issuer == (
        "https://login.acme.example/v2.0"
    )


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"issuer": None}, "issuer"),
        ({"issuer": ""}, "issuer"),
        ({"issuer": 7}, "issuer"),
        ({"issuer": "http://login.acme.example"}, "issuer"),
        ({"issuer": "https://10.0.0.1"}, "issuer"),
        ({"issuer": "https://user:secret@login.acme.example"}, "issuer"),
        ({"issuer": "https://login.acme.example?x=1"}, "issuer"),
        ({"client_id": None}, "client_id"),
        ({"client_id": "a\nb"}, "client_id"),
        ({"client_id": "a" * 256}, "client_id"),
        ({"preset": "no such"}, "preset"),
        ({"preset": "nosuch"}, "preset"),
        ({"scopes": "email \u00e9"}, "scopes"),
        ({"scopes": 7}, "scopes"),
        ({"scopes": ["a"] * 21}, "scopes"),
        ({"client_auth": "private_key_jwt"}, "client_auth"),
        ({"email_claim": ""}, "email_claim"),
        ({"roles": [["admins"]]}, "roles"),
        ({"roles": [["admins", "a" * 65]]}, "roles"),
        ({"roles": [["", "owner"]]}, "roles"),
        ({"roles": "admins"}, "roles"),
        ({"roles": [["g", "r"]] * 51}, "roles"),
        ({"default_role": "a" * 65}, "default_role"),
        ({"counts_mfa": "yes"}, "counts_mfa"),
        ({"client_secret": "hunter2"}, "client_secret"),
        ({"nosuch": 1}, "nosuch"),
    ],
    ids=lambda value: value if isinstance(value, str) else ascii(value)[:50],
)
def test_what_is_no_good_is_named(more: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        read_oidc_settings({**GOOD, **more}, judge=client().read_url)
    assert [one.field for one in caught.value.violations] == [field]
    assert "hunter2" not in str(caught.value)
    assert "user:secret" not in str(caught.value)


def test_this_machine_may_be_allowed() -> None:
    for issuer in ("http://localhost:8080", "https://127.0.0.1:8443"):
        given = {**GOOD, "issuer": issuer}
        assert read_oidc_settings(given, judge=client(allow_loopback=True).read_url).issuer
        with pytest.raises(InvalidArgument):
            read_oidc_settings(given, judge=client().read_url)

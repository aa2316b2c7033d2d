"""Providers that many companies have."""

from __future__ import annotations

import pytest

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.oidc.presets import PRESETS, scopes_of
from pwless_middleware.features.sso.oidc.settings import PRESET_IDS, read_oidc_settings

TENANT = "8f0e1d2c-3b4a-4c5d-9e6f-7a8b9c0d1e2f"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"


def test_settings_know_all_of_them() -> None:
    assert tuple(PRESETS) == PRESET_IDS


@pytest.mark.parametrize(
    ("id", "typed", "issuer"),
    [
        ("google", "", "https://accounts.google.com"),
        ("google", "whatever", "https://accounts.google.com"),
        ("entra", TENANT, ENTRA),
        ("entra", f" {TENANT.upper()} ", ENTRA),
        ("entra", ENTRA, ENTRA),
        ("entra", f"{ENTRA}/.well-known/openid-configuration", ENTRA),
        ("okta", "acme.okta.com", "https://acme.okta.com"),
        ("okta", "https://Acme.okta.com/", "https://acme.okta.com"),
        ("oidc", "https://login.acme.com/", "https://login.acme.com/"),
    ],
)
def test_the_issuer_is_made_of_what_is_asked_for(id: str, typed: str, issuer: str) -> None:
    assert PRESETS[id].issuer_of(typed) == issuer
    settings = read_oidc_settings({"issuer": issuer, "client_id": "x", "preset": id})
    assert settings.issuer == issuer


@pytest.mark.parametrize(
    ("id", "typed"),
    [
        ("entra", "common"),
        ("entra", "acme.onmicrosoft.com"),
        ("entra", ""),
        ("okta", "acme"),
        ("okta", "acme.okta.com/oauth2/default"),
        ("okta", "acme.okta.com@evil.example"),
        ("okta", ""),
    ],
)
def test_what_is_none_is_refused_with_the_words_for_it(id: str, typed: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        PRESETS[id].issuer_of(typed)
    assert caught.value.violations[0].field == "issuer"
    assert caught.value.public_message == PRESETS[id].problem


def test_each_says_what_is_to_be_done() -> None:
    for preset in PRESETS.values():
        assert len(preset.steps) >= 4
        assert any("redirect URI" in step or "Redirect URI" in step for step in preset.steps)
        if preset.label:
            assert preset.example


@pytest.mark.parametrize(
    ("id", "roles", "scopes"),
    [
        ("okta", [["Admins", "owner"]], "openid email profile groups"),
        ("okta", [], "openid email profile"),
        ("entra", [["Admins", "owner"]], "openid email profile"),
        ("oidc", [["Admins", "owner"]], "openid email profile"),
    ],
)
def test_groups_are_asked_for_where_they_give_roles_and_need_a_scope(
    id: str, roles: list[list[str]], scopes: str
) -> None:
    config = {"issuer": "https://acme.okta.com", "client_id": "x", "preset": id, "roles": roles}
    settings = read_oidc_settings(config)
    assert " ".join(scopes_of(settings)) == scopes
    named = read_oidc_settings({**config, "scopes": f"{scopes} groups"})
    assert " ".join(scopes_of(named)).count("groups") == 1

"""What a connection is set to is read strictly, and every bad field is named."""

from __future__ import annotations

import pytest

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from tests.identity_providers.saml import SAMLProvider, make_key

IDP = SAMLProvider()


def violations(config: dict[str, object], *, allow_loopback: bool = False) -> dict[str, str]:
    with pytest.raises(InvalidArgument) as caught:
        read_saml_settings(config, allow_loopback=allow_loopback)
    return {one.field: one.constraint for one in caught.value.violations}


def test_what_is_kept_is_what_was_set() -> None:
    settings = IDP.settings(
        metadata_url="https://idp.example/metadata",
        preset="okta",
        name_id_format="email",
        subject_attribute="oid",
        email_attribute="mail",
        name_attribute="cn",
        groups_attribute="roles",
        roles=(("Admins", "admin"), ("Everyone", "")),
        default_role="reader",
        counts_mfa=True,
        sign_requests=True,
        signing_certificate=make_key("ours")[1],
        allow_unsolicited=True,
    )
    assert read_saml_settings(settings.to_json()) == settings


def test_what_is_as_by_default_is_not_kept() -> None:
    assert IDP.settings().to_json() == IDP.config()


def test_certificates_are_read_as_one_text_as_well() -> None:
    both = IDP.certificate + make_key("two")[1]
    found = read_saml_settings({**IDP.config(), "certificates": both})
    assert [one.subject for one in found.certificates] == ["CN=idp", "CN=two"]


def test_all_that_is_missing_is_named() -> None:
    assert violations({"sso_url": "", "certificates": []}) == {
        "entity_id": "required",
        "sso_url": "required",
        "certificates": "required",
    }


@pytest.mark.parametrize(
    ("field", "value", "constraint"),
    [
        ("entity_id", "two words", "text"),
        ("entity_id", "x" * 1025, "text"),
        ("entity_id", 7, "text"),
        ("sso_url", "http://idp.example/sso", "scheme"),
        ("sso_url", "javascript:alert(1)", "scheme"),
        ("sso_url", "https://idp.example/a b", "text"),
        ("metadata_url", "https://user@idp.example/", "malformed"),
        ("certificates", "nothing", "certificate_malformed"),
        ("certificates", [7], "certificate_malformed"),
        ("certificates", ["x"] * 9, "certificate_malformed"),
        ("signing_certificate", "x", "certificate_malformed"),
        ("name_id_format", "transient", "unspecified|email|persistent"),
        ("preset", "Okta!", "text"),
        ("email_attribute", "x" * 256, "text"),
        ("roles", {"group": 7}, "<=50"),
        ("roles", [["a", "b", "c"]], "<=50"),
        ("roles", [["g", "r" * 65]], "<=50"),
        ("roles", [["g", "r"]] * 51, "<=50"),
        ("default_role", "r" * 65, "text"),
        ("counts_mfa", "yes", "boolean"),
        ("allow_unsolicited", 1, "boolean"),
        ("issuer", "https://idp.example", "known"),
    ],
    ids=range(22),
)
def test_a_bad_field_is_named(field: str, value: object, constraint: str) -> None:
    assert violations({**IDP.config(), field: value}) == {field: constraint}


def test_nine_certificates_are_too_many_in_however_many_texts() -> None:
    texts = [make_key(f"a{n}")[1] + make_key(f"b{n}")[1] for n in range(5)]
    config = {**IDP.config(), "certificates": texts}
    assert violations(config) == {"certificates": "certificate_too_many"}


def test_a_provider_on_this_machine_is_for_development() -> None:
    config = {**IDP.config(), "sso_url": "http://127.0.0.1:8080/sso"}
    assert violations(config) == {"sso_url": "scheme"}
    assert read_saml_settings(config, allow_loopback=True).sso_url == config["sso_url"]

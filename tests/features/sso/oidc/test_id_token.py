"""What an ID token must be (security rule 51; OpenID Connect Core 1.0 section 3.1.3.7)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OKPKey

from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.id_token import (
    LEEWAY,
    MOST_CHARACTERS,
    Expected,
    verify_id_token,
)
from pwless_middleware.features.sso.oidc.keys import ProviderKeys, read_keys
from tests.identity_providers.own_oidc import key, secret_key, sign
from tests.identity_providers.provider import CLIENT_ID

NOW = 1_800_000_000
ISSUER = "https://login.acme.example"
EXPECTED = Expected(issuer=ISSUER, client_id=CLIENT_ID, nonce="a-nonce", now=NOW)


def claims(**more: Any) -> dict[str, Any]:
    """Return good claims; what is `None` is left out."""
    usual = {"iss": ISSUER, "aud": CLIENT_ID, "nonce": "a-nonce", "sub": "jo",
             "iat": NOW, "exp": NOW + 300}  # fmt: skip
    return {name: value for name, value in {**usual, **more}.items() if value is not None}


def keys(*named: str) -> ProviderKeys:
    return read_keys({"keys": [key(name).as_dict(private=False) for name in named or ("first",)]})


def fault_of(token: str, given: ProviderKeys | None = None, expected: Expected = EXPECTED) -> str:
    with pytest.raises(SSOFault) as caught:
        verify_id_token(token, keys() if given is None else given, expected)
    return caught.value.code


def unsigned(header: dict[str, Any], payload: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (header, payload))
    return b".".join(part.rstrip(b"=") for part in parts).decode() + "."


def test_a_good_one_says_who_it_is() -> None:
    assert verify_id_token(sign(claims(), key("first")), keys(), EXPECTED)["sub"] == "jo"


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256"])
def test_rsa_is_accepted(algorithm: str) -> None:
    rsa = key("rsa", "RSA")
    given = read_keys({"keys": [rsa.as_dict(private=False)]})
    assert verify_id_token(sign(claims(), rsa, algorithm), given, EXPECTED)


@pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
def test_ed25519_is_accepted_by_both_of_its_names(name: str) -> None:
    edwards = OKPKey.generate_key("Ed25519", {"kid": "e"})
    given = read_keys({"keys": [edwards.as_dict(private=False)]})
    good = sign(claims(), edwards, "Ed25519")
    header, payload, _ = good.split(".")
    if name == "EdDSA":
        header = base64.urlsafe_b64encode(b'{"alg":"EdDSA","kid":"e"}').rstrip(b"=").decode()
        signature = edwards.private_key.sign(f"{header}.{payload}".encode())  # type: ignore[union-attr]
        good = f"{header}.{payload}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    assert verify_id_token(good, given, EXPECTED)["sub"] == "jo"


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "HS256", "ES256K", "", None, 7])
def test_what_is_no_signature_of_a_provider_is_none(algorithm: object) -> None:
    assert fault_of(unsigned({"alg": algorithm, "kid": "first"}, claims())) == "id_token_algorithm"


def test_the_client_secret_signs_nothing() -> None:
    token = sign(claims(), secret_key(), "HS256", kid="first")
    assert fault_of(token) == "id_token_algorithm"


def test_a_public_key_is_no_secret() -> None:
    """The classic confusion: HS256 with the published key, as text, for its secret."""
    published = key("first")
    assert isinstance(published, ECKey)
    pem = published.as_pem(private=False)
    signed = unsigned({"alg": "HS256", "kid": "first"}, claims()).rstrip(".")
    mac = base64.urlsafe_b64encode(hmac.digest(pem, signed.encode(), "sha256")).decode()
    assert fault_of(f"{signed}.{mac.rstrip('=')}") == "id_token_algorithm"


def test_a_key_of_another_provider_is_unknown() -> None:
    assert fault_of(sign(claims(), key("other"))) == "id_token_key"
    assert fault_of(sign(claims(), key("other"), kid="first")) == "id_token_signature"
    assert fault_of(sign(claims(), key("other"), kid=None)) == "id_token_signature"


def test_a_token_that_names_no_key_is_tried_with_those_of_its_kind() -> None:
    token = sign(claims(), key("second"), kid=None)
    assert verify_id_token(token, keys("first", "second"), EXPECTED)


def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    own = key("other").as_dict(private=False)
    for header in ({"jwk": own}, {"jku": "https://attacker.example/keys"}, {"x5c": ["AA=="]}):
        assert fault_of(sign(claims(), key("other"), kid="first", **header)) == "id_token_signature"


def test_an_algorithm_that_is_not_the_keys_is_refused() -> None:
    rsa = key("rsa", "RSA")
    published = {**rsa.as_dict(private=False), "alg": "PS256"}
    assert fault_of(sign(claims(), rsa, "RS256"), read_keys({"keys": [published]})) == (
        "id_token_key"
    )


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"iss": "https://attacker.example"}, "id_token_issuer"),
        ({"iss": ISSUER + "/"}, "id_token_issuer"),
        ({"iss": None}, "id_token_issuer"),
        ({"iss": [ISSUER]}, "id_token_issuer"),
        ({"aud": "another app"}, "id_token_audience"),
        ({"aud": None}, "id_token_audience"),
        ({"aud": []}, "id_token_audience"),
        ({"aud": {CLIENT_ID: 1}}, "id_token_audience"),
        ({"aud": [CLIENT_ID, "another app"]}, "id_token_audience"),
        ({"aud": [CLIENT_ID, "another app"], "azp": "another app"}, "id_token_audience"),
        ({"azp": "another app"}, "id_token_audience"),
        ({"exp": NOW - LEEWAY}, "id_token_expired"),
        ({"exp": None}, "id_token_claim"),
        ({"exp": "1800000300"}, "id_token_claim"),
        ({"exp": True}, "id_token_claim"),
        ({"iat": None}, "id_token_claim"),
        ({"iat": NOW + LEEWAY + 1}, "id_token_early"),
        ({"nbf": NOW + LEEWAY + 1}, "id_token_early"),
        ({"nonce": None}, "id_token_nonce"),
        ({"nonce": "another"}, "id_token_nonce"),
        ({"nonce": ["a-nonce"]}, "id_token_nonce"),
        ({"nonce": "a-nonceé"}, "id_token_nonce"),
        ({"sub": None}, "subject_malformed"),
        ({"sub": ""}, "subject_malformed"),
        ({"sub": 7}, "subject_malformed"),
        ({"sub": "a" * 256}, "subject_malformed"),
        ({"sub": "a\nb"}, "subject_malformed"),
        ({"sub": "\ud800"}, "id_token_malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else ascii(value)[:60],
)
def test_each_claim_is_checked(more: dict[str, Any], code: str) -> None:
    assert fault_of(sign(claims(**more), key("first"))) == code


def test_several_audiences_are_good_where_we_have_asked() -> None:
    several = claims(aud=[CLIENT_ID, "an api"], azp=CLIENT_ID)
    assert verify_id_token(sign(several, key("first")), keys(), EXPECTED)


def test_clocks_may_differ_by_a_minute() -> None:
    late, early = claims(exp=NOW - LEEWAY + 1), claims(iat=NOW + LEEWAY, nbf=NOW + LEEWAY)
    for given in (late, early):
        assert verify_id_token(sign(given, key("first")), keys(), EXPECTED)


def test_a_login_that_is_too_old_is_refused_where_a_new_one_was_asked_for() -> None:
    expected = Expected(
        issuer=ISSUER, client_id=CLIENT_ID, nonce="a-nonce", now=NOW, login_since=NOW - 10
    )
    good = claims(auth_time=NOW - 10)
    assert verify_id_token(sign(good, key("first")), keys(), expected)
    old = sign(claims(auth_time=NOW - 10 - LEEWAY - 1), key("first"))
    assert fault_of(old, expected=expected) == "id_token_login"
    assert fault_of(sign(claims(), key("first")), expected=expected) == "id_token_claim"


def test_an_access_token_of_another_login_is_found_out() -> None:
    expected = Expected(
        issuer=ISSUER, client_id=CLIENT_ID, nonce="a-nonce", now=NOW, access_token="mine"
    )
    half = hashlib.sha256(b"mine").digest()[:16]
    good = claims(at_hash=base64.urlsafe_b64encode(half).rstrip(b"=").decode())
    assert verify_id_token(sign(good, key("first")), keys(), expected)
    assert fault_of(sign(claims(at_hash="AAAA"), key("first")), expected=expected) == (
        "id_token_claim"
    )


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b",
        "a.b.c",
        "....",
        "e30.e30.",
        "\u00e9.\u00e9.\u00e9",
        "." * 1000,
        "a." * 40_000,
    ],
    ids=lambda token: f"{len(token)} characters",
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert fault_of(token) in ("id_token_malformed", "id_token_encrypted", "id_token_algorithm")


def test_an_encrypted_token_is_called_so() -> None:
    assert fault_of("a.b.c.d.e") == "id_token_encrypted"


def test_a_token_of_any_size_costs_little() -> None:
    assert fault_of(sign(claims(more="a" * MOST_CHARACTERS), key("first"))) == "id_token_malformed"
    deep = base64.urlsafe_b64encode(b"[" * 30_000).rstrip(b"=").decode()
    assert fault_of(f"{deep}.e30.AA") == "id_token_malformed"


@pytest.mark.parametrize("header", [{"crit": ["b64"], "b64": False}, {"crit": ["exp"]}])
def test_what_must_be_understood_and_is_not_is_refused(header: dict[str, Any]) -> None:
    assert fault_of(unsigned({"alg": "ES256", "kid": "first", **header}, claims())) == (
        "id_token_malformed"
    )


def test_a_changed_payload_or_signature_is_found_out() -> None:
    head, payload, signature = sign(claims(), key("first")).split(".")
    other = sign(claims(sub="admin"), key("first")).split(".")[1]
    assert fault_of(f"{head}.{other}.{signature}") == "id_token_signature"
    assert fault_of(f"{head}.{payload}.") == "id_token_signature"
    assert fault_of(f"{head}.{payload}.{'A' * len(signature)}") == "id_token_signature"


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one",
    [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "n": "A" * 60_000, "e": "AQAB"},
        {"kty": "RSA", "n": "A" * 342, "e": "A" * 342},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "crv": "P-256"},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": 7},
        {},
        [],
        None,
        "key",
    ],
    ids=lambda one: json.dumps(one)[:50],
)
def test_a_key_that_is_not_verified_with_is_left_out(one: Any) -> None:
    good = key("first").as_dict(private=False)
    assert [found.kid for found in read_keys({"keys": [one, good]})] == ["first"]
    with pytest.raises(SSOFault) as caught:
        read_keys({"keys": [one]})
    assert caught.value.code == "jwks_malformed"


def test_keys_for_other_uses_are_left_out() -> None:
    good = key("first").as_dict(private=False)
    for other in ({**good, "use": "enc"}, {**good, "use": None, "key_ops": ["encrypt"]}):
        with pytest.raises(SSOFault):
            read_keys({"keys": [other]})


@pytest.mark.parametrize("document", [None, {}, {"keys": {}}, {"keys": []}, {"keys": "first"}])
def test_what_is_no_key_set_is_refused(document: Any) -> None:
    with pytest.raises(SSOFault) as caught:
        read_keys(document)
    assert caught.value.code == "jwks_malformed"


def test_the_private_part_of_a_key_is_not_read() -> None:
    whole = ECKey.generate_key("P-256", {"kid": "whole"}).as_dict(private=True)
    (found,) = read_keys({"keys": [whole]})
    assert not found.key.is_private

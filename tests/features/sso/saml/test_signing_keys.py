"""A key that signs requests, and its certificate."""

from __future__ import annotations

import pytest
from cryptography import x509

from pwless_middleware.features.sso.saml.certificates import read_certificates
from pwless_middleware.features.sso.saml.signing_keys import (
    certify,
    make_signing_key,
    read_signing_key,
    sign,
)
from tests.identity_providers.saml import NOW, make_key

DAY = 86_400


def test_a_key_is_read_signs_and_is_certified_for_years() -> None:
    secret = make_signing_key()
    key = read_signing_key(secret)
    assert key is not None
    assert sign(key, b"x") == sign(key, b"x")
    (certificate,) = read_certificates(certify(key, "a" * 100, now=NOW))
    assert certificate.subject == f"CN={'a' * 64}"
    assert certificate.x509.public_key() == key.public_key()
    assert certificate.begins_at < NOW
    assert certificate.ends_at == NOW + 3650 * DAY
    assert isinstance(certificate.x509, x509.Certificate)


@pytest.mark.parametrize("is_checked", [False, True])
def test_what_is_no_key_of_that_kind_is_none(is_checked: bool) -> None:
    others = [None, b"", b"secret", b"-----BEGIN PRIVATE KEY-----", make_key("ec")[0]]
    for secret in [*others, make_key("weak", "rsa-1024")[0]]:
        assert read_signing_key(secret, is_checked=is_checked) is None
    assert read_signing_key(make_key("own", "rsa")[0], is_checked=is_checked)

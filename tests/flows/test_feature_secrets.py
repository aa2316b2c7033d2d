"""A feature's handles open for that feature alone, and for one purpose."""

from __future__ import annotations

import pytest

from pwless_middleware import ConfigError
from pwless_middleware.core.keyring import Keyring
from pwless_middleware.flows.feature_secrets import MOST_BYTES, FeatureSecrets
from tests.support import KEY, OTHER_KEY


def secrets_of(feature: str = "Sso", key: str | list[str] = KEY) -> FeatureSecrets:
    root = Keyring(key, realm="https://app.example.com\x00pwless")
    return FeatureSecrets(root.derive(f"feature:{feature}"))


@pytest.mark.parametrize("payload", [b"x", bytes(MOST_BYTES)])
def test_a_handle_opens_for_its_feature_and_purpose(payload: bytes) -> None:
    handle = secrets_of().seal("state", payload)
    assert secrets_of().open("state", handle) == payload
    assert secrets_of().open("nonce", handle) is None
    assert secrets_of("Saml").open("state", handle) is None
    assert secrets_of(key=OTHER_KEY).open("state", handle) is None
    assert secrets_of(key=[KEY, OTHER_KEY]).open("state", handle) == payload


def test_a_handle_that_was_changed_opens_nothing() -> None:
    handle = secrets_of().seal("state", b"acme")
    for changed in ("", "é", handle[:-2], handle + "AA", "A" + handle[1:], handle + "="):
        assert changed == handle or secrets_of().open("state", changed) is None


@pytest.mark.parametrize("purpose", ["session", "token", "flow", "pending", "step"])
def test_no_purpose_makes_what_the_product_makes(purpose: str) -> None:
    root = Keyring(KEY, realm="https://app.example.com\x00pwless")
    handle = secrets_of().seal(purpose, bytes(32))
    for keys in (root, root.derive("sessions"), root.derive("pending"), root.derive("features")):
        assert keys.open(purpose, handle, size=32) is None  # type: ignore[arg-type]


def test_a_derived_secret_is_the_same_everywhere_and_one_for_each_purpose() -> None:
    derived = secrets_of().derive("hook")
    assert derived == secrets_of().derive("hook")
    others = {secrets_of("Saml").derive("hook"), secrets_of().derive("other")}
    assert derived not in others


def test_what_cannot_be_sealed_is_refused() -> None:
    for payload in (b"", bytes(MOST_BYTES + 1)):
        with pytest.raises(ValueError, match="bytes"):
            secrets_of().seal("state", payload)
    for purpose in ("", "A", "a-mask", "a b", None):
        with pytest.raises(ConfigError, match="purpose"):
            secrets_of().seal(purpose, b"x")  # type: ignore[arg-type]

"""A feature's handles open for that feature alone, and for one purpose."""

from __future__ import annotations

import pytest

from pwless_middleware import ConfigError
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.keys.stored_secret import Decrypted
from pwless_middleware.flows.capabilities.feature_secrets import MOST_BYTES, FeatureSecrets
from tests.support import KEY, OTHER_KEY

HOST = "https://app.example.com"


def secrets_of(
    feature: str = "Sso", key: str | list[str] = KEY, base_url: str = HOST
) -> FeatureSecrets:
    root = Keyring(key, realm=f"{base_url}\x00pwless")
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


def test_a_stored_secret_is_read_by_its_feature_for_its_purpose_and_row() -> None:
    stored = secrets_of().encrypt("totp", "row user", b"seed")
    assert secrets_of().decrypt("totp", "row user", stored) == Decrypted(b"seed", is_current=True)
    assert secrets_of().decrypt("totp", "row other", stored) is None
    assert secrets_of().decrypt("hotp", "row user", stored) is None
    assert secrets_of("Saml").decrypt("totp", "row user", stored) is None
    assert secrets_of(key=OTHER_KEY).decrypt("totp", "row user", stored) is None


def test_a_stored_secret_outlives_a_rotation_while_its_key_is_listed() -> None:
    stored = secrets_of().encrypt("totp", "row", b"seed")
    rolled = secrets_of(key=[KEY, OTHER_KEY])
    assert rolled.decrypt("totp", "row", stored) == Decrypted(b"seed", is_current=False)
    anew = rolled.encrypt("totp", "row", b"seed")
    assert secrets_of(key=OTHER_KEY).decrypt("totp", "row", anew) == Decrypted(b"seed", True)


def test_a_stored_secret_outlives_a_move_to_another_host() -> None:
    """A handle does not: it is good on one site for some minutes, a factor for years."""
    stored = secrets_of().encrypt("totp", "row", b"seed")
    moved = secrets_of(base_url="https://login.example.net")
    assert moved.decrypt("totp", "row", stored) == Decrypted(b"seed", is_current=True)
    assert moved.open("totp", secrets_of().seal("totp", b"seed")) is None


def test_what_cannot_be_sealed_is_refused() -> None:
    for payload in (b"", bytes(MOST_BYTES + 1)):
        with pytest.raises(ValueError, match="bytes"):
            secrets_of().seal("state", payload)
    for purpose in ("", "A", "a-mask", "a b", None):
        with pytest.raises(ConfigError, match="purpose"):
            secrets_of().seal(purpose, b"x")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="purpose"):
            secrets_of().encrypt(purpose, "row", b"x")  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="purpose"):
            secrets_of().decrypt(purpose, "row", b"x")  # type: ignore[arg-type]

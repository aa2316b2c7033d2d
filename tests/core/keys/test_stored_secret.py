"""Stored secrets: encrypted, bound to their row, readable under the older keys of the list.

Security rule 43.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwless_middleware.core.keys.stored_secret import (
    KEY_BYTES,
    MOST_BYTES,
    Decrypted,
    SecretCipher,
)

OLD_KEY, NEW_KEY = (bytes([n]) * KEY_BYTES for n in (1, 2))
old, new = SecretCipher([OLD_KEY]), SecretCipher([NEW_KEY])
rolled = SecretCipher([OLD_KEY, NEW_KEY])
ROW = "factor user"


@given(st.binary(min_size=1, max_size=100), st.text(max_size=40))
def test_a_secret_is_read_again_in_its_own_row(secret: bytes, context: str) -> None:
    stored = old.encrypt(context, secret)
    assert old.decrypt(context, stored) == Decrypted(secret, is_current=True)
    assert old.decrypt(context + "x", stored) is None
    assert len(secret) < 4 or secret not in stored


def test_the_longest_secret_is_read_again() -> None:
    stored = old.encrypt(ROW, bytes(MOST_BYTES))
    assert old.decrypt(ROW, stored) == Decrypted(bytes(MOST_BYTES), is_current=True)


def test_one_secret_looks_different_each_time() -> None:
    assert len({old.encrypt(ROW, b"seed") for _ in range(50)}) == 50


def test_no_byte_of_a_stored_secret_can_be_changed() -> None:
    stored = rolled.encrypt(ROW, b"seed of the authenticator")
    for at in range(len(stored)):
        for change in (1, 0x80):
            changed = stored[:at] + bytes([stored[at] ^ change]) + stored[at + 1 :]
            assert rolled.decrypt(ROW, changed) is None


def test_what_is_cut_or_longer_is_none() -> None:
    stored = old.encrypt(ROW, b"seed")
    for size in range(len(stored)):
        assert old.decrypt(ROW, stored[:size]) is None
    assert old.decrypt(ROW, stored + b"\x00") is None


def test_after_a_rotation_it_is_read_and_known_as_an_older_keys() -> None:
    stored = old.encrypt(ROW, b"seed")
    assert rolled.decrypt(ROW, stored) == Decrypted(b"seed", is_current=False)
    anew = rolled.encrypt(ROW, b"seed")
    assert rolled.decrypt(ROW, anew) == new.decrypt(ROW, anew) == Decrypted(b"seed", True)
    assert old.decrypt(ROW, anew) is None
    assert new.decrypt(ROW, stored) is None


def test_an_older_key_cannot_be_named_to_decrypt_what_a_newer_one_encrypted() -> None:
    stored, other = rolled.encrypt(ROW, b"seed"), old.encrypt(ROW, b"seed")
    assert rolled.decrypt(ROW, other[:9] + stored[9:]) is None


@pytest.mark.parametrize("secret", [b"", bytes(MOST_BYTES + 1)])
def test_what_cannot_be_stored_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="bytes"):
        old.encrypt(ROW, secret)


def test_its_repr_shows_no_secret() -> None:
    assert "seed" not in repr(Decrypted(b"seed", is_current=True))


WITHOUT_THE_LIBRARY = """
import sys
sys.modules["cryptography"] = None
sys.modules["cryptography.hazmat.primitives.ciphers.aead"] = None
from pwless_middleware.core.keys.stored_secret import SecretCipher
from pwless_middleware.errors import ConfigError
try:
    SecretCipher([bytes(64)])
except ConfigError as error:
    print(error)
"""


def test_without_the_library_the_extra_is_named() -> None:
    """In a process of its own, where it cannot be imported; and nothing else needs it."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_LIBRARY], capture_output=True, text=True, check=True
    )
    assert "pip install 'pwless-middleware[crypto]'" in done.stdout

"""Which public keys a passkey may have: one kind for each algorithm that we offer.

A COSE key says what it is three times: its kind, its algorithm, and its curve (RFC 9053 §7). If
these are not of one kind, a verifier may be led to take one for another, or a weak key for a
strong one.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from webauthn.helpers import decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier as Algorithm
from webauthn.helpers.decode_credential_public_key import (
    DecodedEC2PublicKey,
    DecodedOKPPublicKey,
    DecodedRSAPublicKey,
)
from webauthn.helpers.exceptions import WebAuthnException

ALGORITHMS: Final = (
    Algorithm.ECDSA_SHA_256,
    Algorithm.EDDSA,
    Algorithm.RSASSA_PKCS1_v1_5_SHA_256,
)
"""ES256 (-7), EdDSA (-8) and RS256 (-257): what WebAuthn Level 3 §5.4 asks servers to offer."""
MAX_BYTES: Final = 1024
"""Of a COSE key; one of RSA with 4096 bits has some 530."""

_P256, _ED25519 = 1, 6
_POINT_BYTES = 32
_RSA_BITS = range(2048, 4097)
"""NIST SP 800-131A allows no fewer than 2048; the more, the dearer is what anybody may ask for."""
_RSA_EXPONENT = (1 << 16) + 1
"""The one that is in use, and the least that FIPS 186-5 §5.1 allows."""


class UnusableKey(Exception):
    """A key that a passkey may not have; `is_malformed` tells that it is no key at all."""

    def __init__(self, *, is_malformed: bool = False) -> None:
        super().__init__("not a public key" if is_malformed else "not an algorithm that we offer")
        self.is_malformed = is_malformed


def check_public_key(key: bytes) -> None:
    """Refuse a COSE key that is not of one of our three kinds.

    Args:
        key: CBOR whose extent is known to be small (`cbor.find_end`).

    Raises:
        UnusableKey: its algorithm is another, it is weak, or it is no key.
    """
    # A first byte of 4 is a raw point to the library, as of U2F: no passkey has one.
    if not 0 < len(key) <= MAX_BYTES or key[0] >> 5 != 5:
        raise UnusableKey(is_malformed=True)
    try:
        decoded = decode_credential_public_key(key)
        if type(decoded.alg) is not int or decoded.alg not in ALGORITHMS:
            raise UnusableKey
        if not _is_of_its_kind(decoded):
            raise UnusableKey
        decoded_public_key_to_cryptography(decoded)  # a point that is not on its curve
    except (WebAuthnException, UnsupportedAlgorithm, ValueError, TypeError, LookupError) as exc:
        raise UnusableKey(is_malformed=True) from exc


def _is_of_its_kind(key: object) -> bool:
    """Whether kind, algorithm and curve of a key go together, and it is strong."""
    if isinstance(key, DecodedEC2PublicKey):
        return (
            key.alg == Algorithm.ECDSA_SHA_256
            and key.crv == _P256
            and _is_bytes(key.x, _POINT_BYTES)
            and _is_bytes(key.y, _POINT_BYTES)
        )
    if isinstance(key, DecodedOKPPublicKey):
        return key.alg == Algorithm.EDDSA and key.crv == _ED25519 and _is_bytes(key.x, _POINT_BYTES)
    if isinstance(key, DecodedRSAPublicKey):
        return (
            key.alg == Algorithm.RSASSA_PKCS1_v1_5_SHA_256
            and isinstance(key.n, bytes)
            and isinstance(key.e, bytes)
            and int.from_bytes(key.n, "big").bit_length() in _RSA_BITS
            and int.from_bytes(key.e, "big") == _RSA_EXPONENT
        )
    return False


def _is_bytes(value: object, length: int) -> bool:
    return isinstance(value, bytes) and len(value) == length

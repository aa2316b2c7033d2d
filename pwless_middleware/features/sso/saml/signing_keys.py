"""The key that signs our requests, for providers that want them signed.

Each connection has its own; its private key is a secret of the connection (security rule 56), its
certificate stands in our metadata. Nobody checks how long such a certificate lasts but to complain
of it, so it lasts long.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

_DAYS: Final = 3650
_BITS: Final = 2048
"""What every provider takes (NIST SP 800-131A revision 2, section 3)."""


def make_signing_key() -> bytes:
    """Return a new private key, DER. It takes some 100 ms: call it in a thread."""
    key = generate_private_key(65537, _BITS)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def read_signing_key(secret: bytes | None, *, is_checked: bool = False) -> RSAPrivateKey | None:
    """Return the key that a connection's secret is, or `None` if it is no RSA key.

    Args:
        secret: DER as ours are, or PEM; `None` for none.
        is_checked: whether it was read before, and its numbers need not be checked once more, which
            takes 50 ms.
    """
    if secret is None:
        return None
    load = load_pem_private_key if secret.startswith(b"-----") else load_der_private_key
    try:
        key = load(secret, password=None, unsafe_skip_rsa_key_validation=is_checked)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPrivateKey) and key.key_size >= _BITS else None


def certify(key: RSAPrivateKey, name: str, *, now: int) -> str:
    """Return a certificate of a key, PEM, for `SAMLSettings.signing_certificate`.

    Args:
        key: it, which signs the certificate too.
        name: that the certificate bears, e.g. our host; its first 64 characters.
        now: unix seconds.
    """
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    begins = datetime.fromtimestamp(now, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(names)
        .issuer_name(names)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins - timedelta(days=1))
        .not_valid_after(begins + timedelta(days=_DAYS))
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()


def sign(key: RSAPrivateKey, data: bytes) -> bytes:
    """Return the signature of data by RSA-SHA256 (RFC 6931 section 2.3.2)."""
    return key.sign(data, PKCS1v15(), SHA256())

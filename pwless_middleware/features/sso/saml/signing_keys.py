"""The key that signs our requests, for providers that want them signed.

Each connection has its own, made here; its private key is a secret of the connection (security rule
56), its certificate stands in our metadata. Nobody checks how long such a certificate lasts but to
complain of it, so it lasts long: a new key is made by hand.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from pwless_middleware.core.dataclass import dataclass

_DAYS: Final = 3650
_BITS: Final = 2048
"""What every provider takes (NIST SP 800-131A revision 2, section 3)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A new key.

    Attributes:
        secret: the private key, DER; to be kept as the connection's secret.
        certificate: PEM, for `SAMLSettings.signing_certificate`.
    """

    secret: bytes
    certificate: str

    def __repr__(self) -> str:
        return "SigningKey(…)"


def make_signing_key(name: str, *, now: int) -> SigningKey:
    """Make a key and its certificate. It takes some 100 ms: call it in a thread.

    Args:
        name: that the certificate bears, e.g. our host; its first 64 characters.
        now: unix seconds.
    """
    key = rsa.generate_private_key(65537, _BITS)
    names = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64] or "pwless")])
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
    secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SigningKey(secret, certificate.public_bytes(Encoding.PEM).decode())


def sign(secret: bytes, data: bytes) -> bytes:
    """Return the signature of data by RSA-SHA256 (RFC 6931 section 2.3.2).

    Args:
        secret: from `SigningKey`.
        data: what is signed.

    Raises:
        ValueError: the secret is none of ours.
    """
    key = load_der_private_key(secret, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key.sign(data, PKCS1v15(), SHA256())

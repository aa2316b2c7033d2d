"""The certificates that a provider signs with.

A certificate is pinned: an administrator put it there, and its key is trusted because of that and
of nothing that the certificate says. So one that has ended is still good, which is common in the
field, and is warned of; an authority that signed it is not asked.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.instants import format_instant

MOST_CERTIFICATES: Final = 8
"""Of one connection: what signs now, and what will."""
WARN_SECONDS: Final = 30 * 86_400
"""Before a certificate ends, it is warned of."""
_MOST_CHARACTERS: Final = 65_536
_RSA_BITS: Final = 2048
"""At least (NIST SP 800-131A revision 2, section 3)."""
_RSA_MOST_BITS: Final = 8192
_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*)-----END \1-----")
"""No hyphen within: each of many beginnings would else be looked for an end of to the last."""
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate, read.

    Attributes:
        pem: as it is kept in a connection.
        x509: the same, for who verifies by it.
        fingerprint: SHA-256 of it, in hexadecimal pairs, as providers show it.
        subject: whom it names.
        begins_at, ends_at: unix seconds.
    """

    pem: str
    x509: x509.Certificate
    fingerprint: str
    subject: str
    begins_at: int
    ends_at: int

    def has_ended(self, now: int) -> bool:
        """Whether it is over."""
        return now > self.ends_at

    def ends_soon(self, now: int) -> bool:
        """Whether it ends within 30 days."""
        return self.ends_at - WARN_SECONDS <= now <= self.ends_at


def read_certificates(text: str) -> tuple[Certificate, ...]:
    """Return the certificates of a text: PEM, one or several, or the base64 that metadata has.

    Raises:
        SSOFault: there is none, there are more than 8, one is malformed, holds a private key, or
            its key is too weak or of a kind that nobody signs with.
    """
    if len(text) > _MOST_CHARACTERS:
        raise SSOFault("certificate_malformed", received=f"{len(text)} characters")
    if "PRIVATE KEY" in text:
        raise SSOFault("certificate_private_key")
    blocks = _BLOCK.findall(text)
    if any(label not in ("CERTIFICATE", "X509 CERTIFICATE") for label, _ in blocks):
        raise SSOFault("certificate_malformed", received=blocks[0][0])
    bodies = [body for _, body in blocks] or ([text] if text.strip() else [])
    if not bodies:
        raise SSOFault("certificate_none")
    found = dict.fromkeys("".join(body.split()) for body in bodies)
    if len(found) > MOST_CERTIFICATES:
        raise SSOFault("certificate_too_many", received=len(found))
    return tuple(_read(body) for body in found)


def warn_of_certificates(certificates: Sequence[Certificate], now: int) -> Iterator[SSOFault]:
    """Find certificates that have ended or soon will, if no other one lasts.

    Args:
        certificates: of a connection.
        now: unix seconds.
    """
    if not certificates:
        return
    lasts = max(certificates, key=lambda one: one.ends_at)
    if lasts.has_ended(now):
        yield SSOFault("certificate_ended", received=format_instant(lasts.ends_at))
    elif lasts.ends_soon(now):
        yield SSOFault("certificate_ends", received=format_instant(lasts.ends_at))


@lru_cache(maxsize=512)
def _read(body: str) -> Certificate:
    if not _BASE64.fullmatch(body) or len(body) % 4:
        raise SSOFault("certificate_malformed")
    try:
        found = x509.load_der_x509_certificate(base64.b64decode(body))
        key = found.public_key()
        subject = found.subject.rfc4514_string()
        begins, ends = found.not_valid_before_utc, found.not_valid_after_utc
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SSOFault("certificate_malformed") from error
    if isinstance(key, RSAPublicKey):
        if not _RSA_BITS <= key.key_size <= _RSA_MOST_BITS:
            raise SSOFault("certificate_weak", received=f"RSA {key.key_size}")
    elif not isinstance(key, EllipticCurvePublicKey):
        raise SSOFault("certificate_key_kind", received=type(key).__name__)
    elif not isinstance(key.curve, SECP256R1 | SECP384R1 | SECP521R1):
        raise SSOFault("certificate_weak", received=key.curve.name)
    return Certificate(
        found.public_bytes(Encoding.PEM).decode(),
        found,
        found.fingerprint(SHA256()).hex(":").upper(),
        subject,
        int(begins.timestamp()),
        int(ends.timestamp()),
    )

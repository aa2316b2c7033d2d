"""One-time passwords by time (RFC 6238), as authenticator apps know them. Pure.

What apps agree on: SHA-1, six digits, a new one every 30 seconds. A secret has 160 bits (RFC 4226
§4, R6), and besides the present code the one before and the one after are good, for clocks that go
wrong (RFC 6238 §5.2). Security rule 41.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b32encode
from typing import Final

import pyotp

SECRET_BYTES: Final = 20
PERIOD: Final = 30
"""Seconds for which an app shows a code."""
DIGITS: Final = 6
WINDOW: Final = 1
"""How many codes before and after the present one are good."""


def make_secret() -> bytes:
    """Return a new secret."""
    return secrets.token_bytes(SECRET_BYTES)


def write_secret(secret: bytes) -> str:
    """Return a secret as it is typed into an app: 32 characters of Base32 (RFC 4648 §6)."""
    return b32encode(secret).decode()


def find_counter(secret: bytes, code: str, *, now: int) -> int | None:
    """Return the counter whose code this is, among those that are good now, or `None`.

    All are compared, each in constant time. Where two have the same code it is the later one.

    Args:
        secret: of the app.
        code: six ASCII digits.
        now: unix seconds.
    """
    app = pyotp.TOTP(write_secret(secret), digits=DIGITS, interval=PERIOD)
    present, found = now // PERIOD, None
    for counter in range(max(0, present - WINDOW), present + WINDOW + 1):
        if hmac.compare_digest(app.generate_otp(counter), code):
            found = counter
    return found


def good_counters_before(counter: int, *, now: int) -> range:
    """Return the counters before this one whose codes are still good: they end with its use."""
    return range(max(0, now // PERIOD - WINDOW), counter)


def enrollment_uri(secret: bytes, *, account: str, issuer: str) -> str:
    """Return the `otpauth:` link by which an app learns a secret.

    By the "Key Uri Format" of Google Authenticator, which all apps read. A colon in its label ends
    the issuer, so that the issuer has none.

    Args:
        secret: of the app.
        account: how the app tells it from others of the same issuer: the person's address.
        issuer: the name of the deployment.
    """
    app = pyotp.TOTP(write_secret(secret), digits=DIGITS, interval=PERIOD)
    return app.provisioning_uri(name=account, issuer_name=issuer.replace(":", " "))

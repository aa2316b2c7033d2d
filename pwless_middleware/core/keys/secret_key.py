"""What a secret key must be like: long, random, and no sample."""

from __future__ import annotations

from pwless_middleware.core.options.options import check_encodable
from pwless_middleware.errors import ConfigError

MIN_KEY_BYTES = 32
"""RFC 2104 §3: a key shorter than the hash's output weakens the MAC."""

# What stands in guides (ours too, once) and in settings that were never filled in.
_PLACEHOLDERS = (
    *("changeme", "change-me", "change_me", "change me", "changethis", "change-this"),
    *("your-secret", "your_secret", "your secret", "supersecret", "super-secret", "super_secret"),
    *("insecure", "placeholder", "replace-me", "replace_me", "abcdefgh", "thirty-two bytes"),
)


def check_secret_key(key: object) -> None:
    """Refuse what is no secret key.

    Raises:
        ConfigError: too short, a placeholder, a repeated pattern, no UTF-8, or with white space at
            an end.
    """
    if isinstance(key, str):
        check_encodable("secret_key", key)
    if not isinstance(key, str) or len(key.encode()) < MIN_KEY_BYTES:
        raise ConfigError(
            "secret_key",
            "set a random key of at least 32 bytes; `python -m pwless_middleware secret` makes one",
        )
    if key != key.strip() or "\n" in key or "\r" in key:
        raise ConfigError(
            "secret_key", "white space or a line break stands at its end: strip it, everywhere"
        )
    lowered = key.lower()
    repeated = any(lowered == (lowered[:n] * len(lowered))[: len(lowered)] for n in range(1, 9))
    if repeated or any(word in lowered for word in _PLACEHOLDERS):
        raise ConfigError(
            "secret_key",
            "this is a sample, not a secret; `python -m pwless_middleware secret` makes one",
        )

"""The checks of what all gateways are given: credentials and the sender's name."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Final
from urllib.parse import urlencode

from pwless_middleware.errors import ConfigError

FORM: Final = "application/x-www-form-urlencoded"
"""The type of a body that `encode_form` makes."""

_SECRET = re.compile(r"[\x21-\x7e]{1,2048}")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 _&+-]{0,10}")


def check_secret(option: str, value: object, *, example: str) -> str:
    """Return a credential, or refuse what is none: empty, or with spaces and line breaks.

    Raises:
        ConfigError: it is none; says nothing of it.
    """
    if not isinstance(value, str) or not _SECRET.fullmatch(value):
        raise ConfigError(option, f"set {example}, without spaces")
    return value


def check_sender(value: object, *, other: str = "") -> str:
    """Return who messages come from: a number, a short code, or a name.

    Args:
        value: what was given.
        other: a regular expression of what the vendor takes besides; empty for nothing.

    Raises:
        ConfigError: it is none of them.
    """
    kinds = (_NUMBER, _SHORT_CODE, _NAME, *((re.compile(other),) if other else ()))
    if not isinstance(value, str) or not any(kind.fullmatch(value) for kind in kinds):
        raise ConfigError(
            "sender",
            "set a number such as '+15551234567', a short code, or a name of up to 11 letters and "
            "digits",
        )
    return value


def is_number(sender: str) -> bool:
    """Whether a sender is a number or a short code, and not a name."""
    return sender.removeprefix("+").isascii() and sender.removeprefix("+").isdigit()


def basic_auth(user: str, password: str) -> str:
    """Return the value of the header `Authorization` (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def encode_form(fields: dict[str, str]) -> bytes:
    """Return a form's body, in UTF-8."""
    return urlencode(fields).encode()

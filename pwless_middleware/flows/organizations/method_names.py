"""What people call the first and second factors that policies name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pwless_middleware.text import Text

METHOD_NAMES: Final[Mapping[str, Text]] = {
    "email": Text("Email"),
    "passkey": Text("Passkey"),
    "sso": Text("Company login"),
    "social": Text("Social login"),
    "totp": Text("Authenticator app"),
    "sms": Text("Text message"),
    "recovery_code": Text("Recovery code"),
}
"""As they stand alone, or in a list; one of a host's feature is called by its name."""

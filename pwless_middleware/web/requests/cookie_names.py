"""The names of our cookies, which keep apps that share a host apart."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.keys.digest import digest
from pwless_middleware.errors import ConfigError


def default_cookie_name(base_url: str) -> str:
    """Return the cookie name of an app that was given none.

    Browsers keep cookies by host, for all its ports and paths (RFC 6265 §8.5): where apps may share
    a host, the name carries a digest of `base_url`, so that they do not sign each other out.

    Args:
        base_url: as `Origin.url` writes it.

    Returns:
        `pwless` for https on its own port without a path, else `pwless-` and 8 hex digits.
    """
    parts = urlsplit(base_url)
    if parts.scheme == "https" and parts.port is None and not parts.path:
        return "pwless"
    return f"pwless-{digest('cookie', base_url)[:4].hex()}"


@dataclass(frozen=True, slots=True)
class CookieNames:
    """Name our eight cookies, as bytes with `=` behind them for reading.

    Over https all carry `__Host-`, so that no sister domain can set them (RFC 6265bis §4.1.3.2).
    """

    session: bytes
    flow: bytes
    device: bytes
    pending: bytes
    passkeys: bytes
    trusted: bytes
    setup: bytes
    sso: bytes

    @classmethod
    def of(cls, cookie_name: str, *, secure: bool) -> CookieNames:
        """Make the names from a cookie name.

        Raises:
            ConfigError: not 1 to 40 letters, digits, `-` and `_`, or with a cookie prefix.
        """
        is_text = isinstance(cookie_name, str) and not cookie_name.startswith("__")
        if not is_text or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", cookie_name):
            raise ConfigError("cookie_name", "set 1 to 40 letters, digits, - and _, e.g. 'pwless'")
        name = ("__Host-" if secure else "") + cookie_name
        parts = ("", "-flow", "-device", "-pending", "-passkeys", "-trusted", "-setup", "-sso")
        return cls(*(f"{name}{part}=".encode() for part in parts))

    @property
    def all(self) -> tuple[bytes, ...]:
        """All eight, each with `=` behind it."""
        return (
            self.session,
            self.flow,
            self.device,
            self.pending,
            self.passkeys,
            self.trusted,
            self.setup,
            self.sso,
        )

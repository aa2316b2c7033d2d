"""What the environment says. The demo reads it; the library never does."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


class SettingsError(Exception):
    """Say which variable is wrong and what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Hold how the demo runs.

    Attributes:
        port: where it listens, and what a browser opens unless `base_url` says otherwise.
        base_url: the address that people open.
        secret_key: the key, or several with commas or spaces between them, oldest first.
        is_key_fresh: whether the key was made up for this start.
        smtp_url, smtp_sender: the mail server; empty keeps mails in the mailbox page.
        database_url: the database; empty is none.
        redis_url: the store of several machines; empty keeps it in the database, or in memory.
        api_key: a backend's key for the JSON API; empty allows none.
        workers: processes.
    """

    port: int
    base_url: str
    secret_key: tuple[str, ...] = field(repr=False)
    is_key_fresh: bool
    smtp_url: str = field(repr=False)
    smtp_sender: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    api_key: str = field(repr=False)
    workers: int

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read the `PWLESS_…` variables; each has a default that works on a laptop.

        Raises:
            SettingsError: a variable is wrong, or lacks another that it needs.
        """
        port = _number(environ, "PWLESS_DEMO_PORT", 8000, 65535)
        workers = _number(environ, "PWLESS_WORKERS", 1, 64)
        keys = tuple(environ.get("PWLESS_SECRET_KEY", "").replace(",", " ").split())
        smtp_url, sender = environ.get("PWLESS_SMTP_URL", ""), environ.get("PWLESS_SMTP_SENDER", "")
        database_url = environ.get("PWLESS_DATABASE_URL", "").strip()
        redis_url = environ.get("PWLESS_REDIS_URL", "")
        if workers > 1 and not ((database_url or redis_url) and keys):
            raise SettingsError(
                "PWLESS_WORKERS: several workers need PWLESS_DATABASE_URL or PWLESS_REDIS_URL, "
                "which they share, and PWLESS_SECRET_KEY, which is the same in all of them"
            )
        if bool(smtp_url) is not bool(sender):
            raise SettingsError("PWLESS_SMTP_URL and PWLESS_SMTP_SENDER: set both, or neither")
        return cls(
            port=port,
            base_url=environ.get("PWLESS_BASE_URL") or f"http://localhost:{port}",
            secret_key=keys or (secrets.token_urlsafe(32),),
            is_key_fresh=not keys,
            smtp_url=smtp_url,
            smtp_sender=sender,
            database_url=database_url,
            redis_url=redis_url,
            api_key=environ.get("PWLESS_API_KEY", ""),
            workers=workers,
        )


def _number(environ: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 1 <= int(text) <= most):
        raise SettingsError(f"{name}: set a number from 1 to {most}")
    return int(text)

"""Which language a request is answered in: the person's cookie, what the browser asks for, or ours.

The cookie is set by the profile page, at the login of somebody who has chosen a language, and by
the host where its own pages switch the language; nothing else is known of a person before the
login. After it the person's own choice comes first (`Accounts.require`). API callers are answered
by their `Accept-Language` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pwless_middleware.languages.catalogue import Catalogue
from pwless_middleware.languages.languages import Languages, Offer

COOKIE: Final = "pwless-language"
"""The cookie that names a language, e.g. `de`. It is no secret, and not signed; scripts of the host
may read and write it."""
COOKIE_SECONDS: Final = 365 * 86400
VARY: Final = "Accept-Language"

_COOKIE = re.compile(rb"(?:\A|;)[ \t]*pwless-language=([A-Za-z0-9-]{2,35})[ \t]*(?:;|\Z)")


def language_of(headers: Iterable[tuple[bytes, bytes]], languages: Languages | Offer) -> Catalogue:
    """Return the catalogue for whoever sends these headers.

    Args:
        headers: of an ASGI scope.
        languages: those of the deployment, or of who reads the answer.
    """
    accepted: list[str] = []
    for name, value in headers:
        if name == b"accept-language":
            accepted.append(value.decode("latin-1"))
        elif name == b"cookie":
            found = _read(value, languages)
            if found is not None:
                return found
    return languages.negotiate(",".join(accepted))


def chosen_language(headers: Iterable[tuple[bytes, bytes]], languages: Languages) -> str:
    """Return the code of the language that the cookie names; empty where it names none of ours."""
    found = [_read(value, languages) for name, value in headers if name == b"cookie"]
    return next((one.code for one in found if one is not None), "")


def _read(cookies: bytes, languages: Languages | Offer) -> Catalogue | None:
    match = _COOKIE.search(cookies) if COOKIE.encode() in cookies else None
    return languages.find(match[1].decode()) if match is not None else None

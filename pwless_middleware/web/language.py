"""Which language a request is answered in: the person's cookie, what the browser asks for, or ours.

The cookie is the host's to set, e.g. where its own pages switch the language; nothing else is
known of a person before the login. API callers are answered by their `Accept-Language` too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pwless_middleware.languages.catalogue import Catalogue
from pwless_middleware.languages.languages import Languages

COOKIE: Final = "pwless-language"
"""The cookie that names a language, e.g. `de`. It is no secret, and not signed."""
VARY: Final = "Accept-Language"

_COOKIE = re.compile(rb"(?:\A|;)[ \t]*pwless-language=([A-Za-z0-9-]{2,35})[ \t]*(?:;|\Z)")


def language_of(headers: Iterable[tuple[bytes, bytes]], languages: Languages) -> Catalogue:
    """Return the catalogue for whoever sends these headers.

    Args:
        headers: of an ASGI scope.
        languages: those of the deployment.
    """
    accepted: list[str] = []
    for name, value in headers:
        if name == b"accept-language":
            accepted.append(value.decode("latin-1"))
        elif name == b"cookie" and COOKIE.encode() in value:
            match = _COOKIE.search(value)
            found = languages.find(match[1].decode()) if match is not None else None
            if found is not None:
                return found
    return languages.negotiate(",".join(accepted))

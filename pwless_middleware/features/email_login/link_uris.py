"""The pages that a caller may name as `magiclink_auth_uri`: those that the deployment lists.

A link that leads anywhere else would carry its token there, so the list decides, by text. Where an
entry ends in `/*`, what follows is read as a browser resolves it (WHATWG URL §4.4), so that no
dot segment or backslash leads out of the listed folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from pwless_middleware.core.options.options import check_texts
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.routing.origin import is_local

LONGEST = 1000
"""Characters of a URI; also what `send` takes."""

_OUTSIDE_ASCII_URI = re.compile(r"[^!-~]|[\\#]")
# Encoded slashes divide segments for some servers, so they do here.
_SLASH = re.compile(r"/|%2f|%5c", re.IGNORECASE)
# `..;` is one to servers that take parameters off each segment (RFC 3986 §3.3), as Java's do.
_DOT_SEGMENT = re.compile(r"(?:\.|%2e){1,2}(?:(?:;|%3b).*)?", re.IGNORECASE)


class LinkUris:
    """Check `magiclink_auth_uri`.

    Args:
        uris: absolute https URLs without a fragment (http for localhost), each compared exactly,
            or ending in `/*`: everything below that folder, on that origin alone.

    Raises:
        ConfigError: one of them is no such URL.
    """

    def __init__(self, uris: Sequence[str]) -> None:
        check_texts("link_uris", uris, example="['https://www.example.com/magic']")
        for uri in uris:
            _check(uri)
        self._exact = frozenset(uri for uri in uris if not uri.endswith("/*"))
        self._below = tuple(uri[:-1] for uri in uris if uri.endswith("/*"))

    def allows(self, uri: str) -> bool:
        """Whether a caller may name this URI."""
        if uri in self._exact:
            return True
        if not uri.startswith(self._below) or _OUTSIDE_ASCII_URI.search(uri):
            return False
        path = uri.partition("?")[0].partition("://")[2]
        return not any(_DOT_SEGMENT.fullmatch(segment) for segment in _SLASH.split(path))


def _check(uri: str) -> None:
    try:
        parts = urlsplit(uri)
    except ValueError as exc:  # half an IPv6 address
        raise ConfigError("link_uris", f"{uri!r}: {exc}") from exc
    is_good = parts.scheme == "https" or (parts.scheme == "http" and is_local(parts.netloc))
    if not (is_good and parts.hostname and not parts.fragment and parts.username is None):
        raise ConfigError("link_uris", f"{uri!r}: set absolute https URLs without a fragment")
    if len(uri) > LONGEST or _OUTSIDE_ASCII_URI.search(uri):
        raise ConfigError("link_uris", f"{uri!r}: at most 1000 ASCII characters, no spaces")
    if "*" in uri.removesuffix("/*") or (uri.endswith("/*") and parts.query):
        raise ConfigError("link_uris", f"{uri!r}: '*' may stand at the end of the path only, as /*")

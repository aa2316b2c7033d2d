"""The one configured origin (security rules 7 and 10).

`Host`, `X-Forwarded-*` and `Forwarded` decide nothing: an attacker writes them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pwless_middleware.core.options.options import check_texts, check_trimmed
from pwless_middleware.errors import ConfigError

_APP_ORIGINS = ("capacitor://localhost", "ionic://localhost", "tauri://localhost")
_DEFAULT_PORTS = {"https": 443, "http": 80}
# A name (RFC 1123 §2.1, and `_`, as the networks of containers have it) or an address; no pattern
# such as `*.example.com`, which no `Origin` ever equals.
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?|[0-9a-f:.]*:[0-9a-f:.]*")


class Origin:
    """The public address of the app.

    Args:
        base_url: `https://app.example.com`, with the path under which a proxy shows the app, if
            any; `http` for localhost only, unless `unsafe_http` is set.
        unsafe_http: whether another host may be served over http: who shares the network can then
            read and take over every session.

    Attributes:
        url: the base URL without a slash at its end.
        origin: scheme, host and port as browsers write them in `Origin`.
        is_secure: true for https.
        is_development: true for http on this machine.

    Raises:
        ConfigError: not such a URL.
    """

    def __init__(self, base_url: str, *, unsafe_http: bool = False) -> None:
        self.origin, self.path = _parse(base_url, "base_url")
        self.url = self.origin + self.path
        self.is_secure = self.origin.startswith("https://")
        self.host = self.origin.partition("://")[2]
        self.is_development = not self.is_secure and is_local(self.host)
        if not self.is_secure and not self.is_development and not unsafe_http:
            raise ConfigError(
                "base_url",
                "http is for localhost only; set the https address people open, or, in a network "
                "that you trust, unsafe_http=True",
            )

    def is_ours(self, headers: Headers) -> bool:
        """Whether a write comes from a page of this origin.

        `Origin` decides where there is one; `null` is no origin of ours. Without it,
        `Sec-Fetch-Site: same-origin` does (OWASP CSRF Prevention, "Fetch Metadata").
        """
        origins = headers.getlist("origin")
        if origins:
            return origins == [self.origin]
        return headers.getlist("sec-fetch-site") == ["same-origin"]

    def is_own_form(self, headers: Headers) -> bool:
        """Whether a form post comes from a page of ours.

        A proxy that adds `Referrer-Policy: no-referrer` makes browsers send `Origin: null` with our
        own forms (Fetch Standard, "append a request Origin header"). `Sec-Fetch-Site` then says
        whose page it was: of a sandboxed frame, whose origin is `null` too, it says `cross-site`.
        """
        if headers.getlist("origin") == ["null"]:
            return headers.getlist("sec-fetch-site") == ["same-origin"]
        return self.is_ours(headers)


def parse_origins(origins: Sequence[str]) -> frozenset[str]:
    """Read the option `allowed_origins`: whole origins, no path, no pattern.

    Besides http and https there are those that Capacitor, Ionic and Tauri give to an app's pages.

    Raises:
        ConfigError: one of them is not an origin.
    """
    check_texts("allowed_origins", origins, example="['https://www.example.com']")
    found = set()
    for text in origins:
        if text in _APP_ORIGINS:
            found.add(text)
            continue
        if "*" in text:
            raise ConfigError(
                "allowed_origins",
                f"{text!r} is a pattern: list each origin, https://www.example.com",
            )
        found.add(parse_origin(text, "allowed_origins"))
    return frozenset(found)


def parse_origin(text: str, option: str) -> str:
    """Return an origin, `https://www.example.com`, as browsers write it.

    Args:
        text: as it was given; a slash at its end is left out.
        option: to which it was given.

    Raises:
        ConfigError: it is none, or has a path.
    """
    origin, path = _parse(text, option)
    if path:
        raise ConfigError(option, f"{text!r} has a path; an origin has none")
    return origin


def is_local(host: str) -> bool:
    """Whether a host, with or without a port, is this machine (RFC 6761 §6.3)."""
    name = re.sub(r":\d+\Z", "", host)
    return name in ("localhost", "127.0.0.1", "[::1]") or name.endswith(".localhost")


def _parse(url: object, option: str) -> tuple[str, str]:
    problem = ConfigError(
        option, "set an absolute URL without user name, ? or #, e.g. https://app.example.com"
    )
    if isinstance(url, str):
        check_trimmed(option, url)
    if not isinstance(url, str) or not url.isascii() or re.search(r"[\s\\\x00-\x20\x7f]", url):
        raise problem
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise problem from exc
    host = parts.hostname or ""
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or port == 0:
        raise problem
    if parts.username is not None or parts.password is not None or "?" in url or "#" in url:
        raise problem
    path = parts.path.rstrip("/")
    if "//" in path or "%" in path or any(s in (".", "..") for s in path.split("/")):
        raise problem
    if ":" in host:
        host = f"[{host}]"
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}", path

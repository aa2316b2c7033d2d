"""Paths as other people's software resolves them (security rules 8 and 9).

Two checks. A `next` is followed by a browser, so it is read as the WHATWG URL Standard (§4.4)
would resolve it: a backslash is a slash, tabs and newlines vanish, `//` at the begin starts a host.
A public path is matched by us and then routed by the app, so anything that the two could read
differently (dot segments, empty segments, encoded slashes) is never public.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.core.options.options import check_texts, check_trimmed
from pwless_middleware.errors import ConfigError

LOGIN_PATH = "/login"
"""Where the login page is, below the prefix."""
STEP_UP_PATH = "/step/up"
"""Where who is signed in confirms that it is them, below the prefix."""
SECOND_FACTOR_PATH = "/step/second-factor"
"""Where somebody proves a second factor that they have, below the prefix."""
SSO_START_PATH = "/sso/start"
"""Where the login of a company begins, below the prefix."""
SOCIAL_PATH = "/sso/oidc/"
"""What the paths of social logins begin with, below the prefix."""
ENTER_PATH = "/account/organizations/enter"
"""Where who is signed in enters another organization, below the prefix."""
ADDRESS_PATH = "/account/address"
"""Where a person changes their address, below the prefix."""
MAX_NEXT = 8192
"""Bytes of a `next`: dashboards keep their whole state in the query."""

# In a path: a backslash, plain or encoded, an encoded control character or DEL.
_TRICK = re.compile(r"\\|%(?:5c|[01][0-9a-f]|7f)", re.IGNORECASE)
_SLASH = re.compile(r"/|%2f", re.IGNORECASE)
_DOT_SEGMENT = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
# A control character, a backslash, an empty segment, a dot segment, in a decoded path. One search,
# since it is on the way of every request to a public path. `..;` is a dot segment to servers that
# take parameters off each segment (RFC 3986 §3.3), as Java's do behind an app that is a proxy.
_AMBIGUOUS = re.compile(rf"[{CONTROL}\\]|//|(?:\A|/)\.\.?(?:[/;]|\Z)")
# The same for a path on the wire; `%2e` and `%25` too, since some routers decode twice, and bytes
# that begin a character too long: `%c0%ae` is a dot to who does not look (RFC 3629 section 10).
_RAW_TRICK = re.compile(rb"%(?:2f|5c|2e|25|[01][0-9a-f]|7f|c[01]|e0%[89]|f0%8)", re.IGNORECASE)

# Spaces and control characters: Starlette's route for `/login` matches `/login%0a` too.
_NOT_SHOWN = re.compile(rf"[\s{CONTROL}]")


def safe_next(text: str | None) -> str | None:
    """Return a path of this origin in ASCII, or `None` if it is not surely one.

    Args:
        text: as it came; query and fragment are kept as they are. Slashes inside the path, encoded
            or doubled, belong to apps that use them; at its begin they would name a host.
    """
    if not text or text[0] != "/" or len(text) > MAX_NEXT:
        return None
    if any(c <= " " or c == "\x7f" for c in text):
        return None
    segments = _SLASH.split(path := re.split("[?#]", text, maxsplit=1)[0])
    if _TRICK.search(path) or any(_DOT_SEGMENT.fullmatch(segment) for segment in segments):
        return None
    if len(segments) > 2 and not segments[1]:  # `//` or `/%2f`
        return None
    # Unpaired surrogates (undecodable bytes) cannot be written in a header.
    try:
        text = quote(text, safe="/%:?#[]@!$&'()*+,;=~")
    except UnicodeEncodeError:
        return None
    return text if len(text) <= MAX_NEXT else None


class PublicPaths:
    """The paths that need no login.

    Args:
        patterns: exact paths, or ending in `/*` (all below that path, not itself); `*` opens all.

    Raises:
        ConfigError: a pattern that is neither.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        check_texts("public", patterns, example="['/', '/static/*']")
        self.all = "*" in patterns
        exact: set[str] = set()
        below: list[str] = []
        for pattern in patterns:
            if pattern == "*":
                continue
            check_trimmed("public", pattern)
            if pattern[:1] != "/":
                raise ConfigError(
                    "public", f"{pattern!r} has no slash at its beginning: set '/{pattern}'"
                )
            path = pattern.removesuffix("/*") if pattern.endswith("/*") else pattern
            if "*" in path or "?" in path or "#" in path or _is_ambiguous(path):
                raise ConfigError(
                    "public",
                    f"{pattern!r} is neither an exact path ('/docs') nor one that ends in '/*', "
                    "which is everything below it ('/static/*')",
                )
            if path == pattern:
                exact.add(path)
            else:
                below.append(path + "/")
        self._exact = frozenset(exact)
        self._below = tuple(below)

    def includes(self, path: str, raw_path: bytes | None) -> bool:
        """Whether a path (decoded, without root path) is public.

        Args:
            path: `scope["path"]` without the root path.
            raw_path: `scope["raw_path"]`, as it stood on the wire; `None` if the server gave none.
        """
        if self.all:
            return True
        # An exact one was checked when it was set.
        is_exact = path in self._exact
        if not is_exact and (not path.startswith(self._below) or _AMBIGUOUS.search(path)):
            return False
        if raw_path is None or b"%" not in raw_path:
            return True
        return not _RAW_TRICK.search(raw_path.split(b"?", 1)[0])


def _is_ambiguous(path: str) -> bool:
    """Whether two readers could take this decoded path for two different ones."""
    return _AMBIGUOUS.search(path) is not None


def without_last_slash(path: str, root_path: str) -> tuple[str, str]:
    """Return a path and its root path as if the root path had no slash at its end.

    uvicorn puts `--root-path /app/` and `/x` together to `/app//x`, hypercorn leaves `/x`, and a
    proxy may leave `/app/x`; routers read each of them in their own way. What is checked has to
    be what the app routes, so both get this form.
    """
    root = root_path.rstrip("/")
    if path.startswith(root_path + "/"):
        path = root + path[len(root_path) :]
    return path, root


def below(path: str, root_path: str) -> str:
    """Return the path without the root path, in both forms that servers use.

    uvicorn and granian put the root path into `path`, hypercorn and daphne do not; it is taken off
    only where a `/` (or nothing) follows, so that `/product` does not eat `/products`.
    """
    root = root_path.rstrip("/")
    if root and path.startswith(root):
        rest = path[len(root) :]
        if not rest:
            return "/"
        if rest[0] == "/":
            return rest
    return path


def first_segment(path: str) -> str:
    """Return a path's first segment, in lower case, as the most generous reader would find it.

    Empty and dot segments are resolved, a backslash divides as a slash does, and what is still
    encoded (once more, by a client or a proxy) is decoded: whoever merges or decodes slashes reads
    `//login`, `/%2flogin` and `/x/../login` as `/login`.

    Args:
        path: decoded once, as a server does.
    """
    text = _NOT_SHOWN.sub("", unquote(unquote(path)).replace("\\", "/")).lower()
    kept: list[str] = []
    for segment in text.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return kept[0] if kept else ""

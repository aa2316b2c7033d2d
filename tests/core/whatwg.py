"""An oracle: where a browser goes for a URL reference, by the WHATWG URL Standard (§4.4).

Written from the standard's state machine and from nothing of ours, for the base
`https://app.example.com/auth/verify` and http(s) schemes; whatever leaves them is just "elsewhere".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BASE_HOST = "app.example.com"
_DOTS = {".": 1, "%2e": 1, "..": 2, ".%2e": 2, "%2e.": 2, "%2e%2e": 2}


@dataclass(frozen=True)
class Resolved:
    """Where a reference leads: the host, and the path's segments after dots were resolved."""

    host: str
    path: tuple[str, ...]


ELSEWHERE = Resolved("elsewhere", ())


def resolve(text: str) -> Resolved:
    """Resolve a reference against the base."""
    text = re.sub(r"\A[\x00-\x20]+|[\x00-\x20]+\Z", "", text)  # C0 control or space
    text = re.sub(r"[\t\n\r]", "", text)  # ASCII tab or newline
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", text)
    if scheme:
        rest = text[scheme.end() :]
        if scheme[1].lower() != "https":
            return ELSEWHERE
        if rest[:2] == "//":
            return _authority(rest)
        text = rest  # special relative: the base's own scheme without slashes
    if text[:1] in ("/", "\\"):
        if text[1:2] in ("/", "\\"):
            return _authority(text)
        return Resolved(BASE_HOST, _path((), text[1:]))
    if text[:1] in ("", "?", "#"):
        return Resolved(BASE_HOST, ("auth", "verify"))
    return Resolved(BASE_HOST, _path(("auth",), text))


def _authority(text: str) -> Resolved:
    rest = text.lstrip("/\\")  # special authority ignore slashes
    host = re.split(r"[/\\?#]", rest, maxsplit=1)[0]
    return Resolved(host.rpartition("@")[2].lower(), _path((), rest[len(host) + 1 :]))


def _path(base: tuple[str, ...], text: str) -> tuple[str, ...]:
    segments = list(base)
    parts = re.split(r"[/\\]", re.split(r"[?#]", text, maxsplit=1)[0])
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        dots = _DOTS.get(part.lower(), 0)
        if dots == 2 and segments:
            segments.pop()
        if not dots:
            segments.append(part)
        elif is_last:
            segments.append("")
    return tuple(segments)

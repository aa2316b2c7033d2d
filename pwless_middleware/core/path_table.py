"""Path patterns and the one that answers a path (security rule 9).

    /sessions                       one path
    /orgs/{id}/members/{member}     any one segment for each name

No regular expression decides: `$` would let `%0a` through. An exact segment beats a name
(`/orgs/new` before `/orgs/{id}`); where neither pattern is the narrower one, the two are refused as
they are put together, since which of them answers would be chance.
"""

from __future__ import annotations

import re
from typing import Generic, TypeVar

from pwless_middleware.core.control_characters import CONTROL
from pwless_middleware.errors import ConfigError

T = TypeVar("T")

_EXACT = re.compile(r"[A-Za-z0-9._~-]+")
_NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# A segment that a name takes: what is decoded to these is another path to some reader.
_NO_VALUE = re.compile(rf"[{CONTROL}\\]|\A\.{{1,2}}\Z")

Segments = tuple[str | None, ...]
"""A pattern's segments; `None` where any one fits."""


def path_names(path: str) -> tuple[str, ...]:
    """Return the names in a path pattern, in order."""
    return tuple(_NAME.findall(path))


class PathTable(Generic[T]):
    """Find what answers a path."""

    def __init__(self) -> None:
        self._exact: dict[str, T] = {}
        self._named: dict[int, list[tuple[Segments, tuple[str, ...], T]]] = {}
        # By what two patterns must share to answer one path: how many segments, and the first.
        self._owners: dict[tuple[int, str | None], dict[Segments, tuple[str, str]]] = {}

    def add(self, path: str, value: T, *, owner: str) -> None:
        """Add a pattern.

        Args:
            path: begins with `/`; a segment `{name}` takes any one segment, but not the first.
            value: what answers it.
            owner: who adds it, for the error.

        Raises:
            ConfigError: it is no such pattern, or could answer a path that another one answers.
        """
        segments, names = _parse(path, owner)
        owners = self._owners.setdefault((len(segments), segments[0]), {})
        for other, (its_owner, its_path) in owners.items():
            if _is_ambiguous(segments, other):
                raise ConfigError(
                    "features",
                    f"{its_owner} mounts {its_path} and {owner} mounts {path}, and both could "
                    "answer the same path: take one of the two out, or change its path",
                )
        owners[segments] = (owner, path)
        if not names:
            self._exact[path] = value
            return
        rows = self._named.setdefault(len(segments), [])
        rows.append((segments, names, value))
        rows.sort(key=lambda row: len(row[1]))  # of two that fit, the narrower has fewer names

    def has_exact(self, path: str) -> bool:
        """Whether a pattern without names is this path."""
        return path in self._exact

    def find(self, path: str) -> tuple[T, dict[str, str]] | None:
        """Return what answers a path, with the values of its names, or `None`.

        Args:
            path: decoded, as in the scope.
        """
        value = self._exact.get(path)
        if value is not None:
            return value, {}
        given = path.split("/")[1:]
        for segments, names, value in self._named.get(len(given), ()):
            pairs = list(zip(segments, given, strict=True))
            if all(segment in (None, part) for segment, part in pairs):
                taken = [part for segment, part in pairs if segment is None]
                if all(part and not _NO_VALUE.search(part) for part in taken):
                    return value, dict(zip(names, taken, strict=True))
        return None


def _parse(path: object, owner: str) -> tuple[Segments, tuple[str, ...]]:
    problem = ConfigError(
        "features",
        f"{owner} mounts {path!r}: a path is '/' and segments of letters, digits and . _ ~ -, of "
        "which those behind the first may be a {name}, each name once",
    )
    if not isinstance(path, str) or path[:1] != "/":
        raise problem
    segments: list[str | None] = []
    for text in path[1:].split("/"):
        is_exact = _EXACT.fullmatch(text) is not None and text not in (".", "..")
        if not is_exact and (not segments or not _NAME.fullmatch(text)):
            raise problem
        segments.append(text if is_exact else None)
    names = path_names(path)
    if len(set(names)) != len(names):
        raise problem
    return tuple(segments), names


def _is_ambiguous(one: Segments, other: Segments) -> bool:
    """Whether two of one length both answer some path, and neither is the narrower."""
    pairs = list(zip(one, other, strict=True))
    if any(None not in (a, b) and a != b for a, b in pairs):
        return False
    one_is_wider = any(a is None and b is not None for a, b in pairs)
    other_is_wider = any(b is None and a is not None for a, b in pairs)
    return one_is_wider == other_is_wider

"""Which language a person gets, of those that there are (RFC 4647 §3.4, RFC 9110 §12.5.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

LONGEST_HEADER: Final = 500
"""Characters of an `Accept-Language` that are read; browsers send up to about 100."""

LANGUAGE_TAG: Final = "^[A-Za-z]{1,8}([-_][A-Za-z0-9]{1,8}){0,7}$"
"""A language tag (RFC 5646 §2.1, its form alone), or a locale as systems write it: `pt_BR`."""

_MOST_PARTS: Final = 8
"""Parts of a tag that are read, which is more than any registered one has; the rest is cut off."""

_RANGE = re.compile(
    r"[ \t]*(?P<tag>\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)[ \t]*"
    r"(?:;[ \t]*q[ \t]*=[ \t]*(?P<q>[01](?:\.[0-9]{0,3})?)[ \t]*)?"
)

# What is asked for under an older, a broader or a regional name (IANA Language Subtag Registry;
# CLDR, "Likely Subtags").
_ALIASES: Final = {
    "in": "id",
    "iw": "he",
    "ji": "yi",
    "nb": "no",
    "nn": "nb",
    "no": "nb",
    "pt": "pt-br",
    "yue": "zh-hant",
    "zh": "zh-hans",
    "zh-cn": "zh-hans",
    "zh-hk": "zh-hant",
    "zh-mo": "zh-hant",
    "zh-sg": "zh-hans",
    "zh-tw": "zh-hant",
}


def find_language(tag: str, codes: Sequence[str]) -> str | None:
    """Return the code that serves a language tag: the nearest, or `None`.

    `de-AT` is served by `de`, `zh-TW` by `zh-Hant`, `pt-PT` by `pt-BR` where there is no `pt`.
    """
    return _find(tag, _by_name(tuple(codes)))


@lru_cache(64)
def _by_name(codes: tuple[str, ...]) -> Mapping[str, str]:
    return {code.lower(): code for code in codes}


def _find(tag: str, by_name: Mapping[str, str]) -> str | None:
    # Bounded before it is looked at: a stranger's tag may have as many parts as a body has bytes.
    parts = tag.lower().replace("_", "-").split("-", _MOST_PARTS)[:_MOST_PARTS]
    for length in range(len(parts), 0, -1):
        name = "-".join(parts[:length])
        found = by_name.get(name) or by_name.get(_ALIASES.get(name, ""))
        if found is not None:
            return found
    return None


def negotiate_language(header: str, codes: Sequence[str]) -> str | None:
    """Return the code that an `Accept-Language` header likes best, or `None` where it names none.

    Args:
        header: its value; what is malformed in it is passed over.
        codes: the languages that there are; the first is the default, which `*` takes.
    """
    if len(header) > LONGEST_HEADER:
        header = header[:LONGEST_HEADER].rpartition(",")[0]
    wanted: list[tuple[float, str]] = []
    refused: set[str] = set()
    for part in header.lower().replace("_", "-").split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            continue
        quality = float(match["q"] or 1)
        if 0 < quality <= 1:
            wanted.append((quality, match["tag"]))
        elif quality == 0:
            refused.add(match["tag"])
    wanted.sort(key=lambda one: -one[0])
    by_name = _by_name(tuple(codes))
    for _, tag in wanted:
        if tag == "*":
            return next((code for code in codes if code.lower() not in refused), None)
        found = _find(tag, by_name)
        if found is not None and found.lower() not in refused:
            return found
    return None

"""Chinese and Japanese have no space between sentences: their full stop brings its own.

A mail keeps it: to a mail program `。` may be the dot of a domain, and the words beside it a link.
"""

from __future__ import annotations

import re
from typing import Final

_WITHOUT_SPACES: Final = frozenset({"ja", "zh-Hans", "zh-Hant"})
# What somebody has typed into a field stays: the form sends it back.
_SPACE: Final = re.compile(
    r'(<textarea\b[^<>]*>[^<]*|\bvalue="[^"]*")|(?<=[。！？：])(<[^<>]*>)? (?=\S)'
)


def close_up(html: str, language: str) -> str:
    """Return a page without the spaces that templates set between sentences, where none belong.

    Args:
        html: the page, or a part of one.
        language: of its text; in all others a space stands there.
    """
    return _SPACE.sub(r"\1\2", html) if language in _WITHOUT_SPACES else html

"""Chinese and Japanese have no space between sentences: their full stop brings its own.

A mail keeps it: to a mail program `。` may be the dot of a domain, and the words beside it a link.
"""

from __future__ import annotations

import re
from typing import Final

_WITHOUT_SPACES: Final = frozenset({"ja", "zh-Hans", "zh-Hant"})
# It begins with the marks alone: a page is searched for them a hundred times as fast as at each
# place for several things.
_SPACE: Final = re.compile(r"([。！？：](?:<[^<>]*>)?) (?=\S)")


def close_up(html: str, language: str) -> str:
    """Return a page without the spaces that templates set between sentences, where none belong.

    Args:
        html: the page, or a part of one.
        language: of its text; in all others a space stands there.
    """
    if language not in _WITHOUT_SPACES:
        return html

    def close(found: re.Match[str]) -> str:
        return found[0] if _is_typed(html, found.start()) else found[1]

    return _SPACE.sub(close, html)


def _is_typed(html: str, at: int) -> bool:
    """Whether what stands there is what somebody has typed into a field: the form sends it back."""
    tag = html.rfind("<", 0, at)
    if tag < html.rfind(">", 0, at):
        return html.startswith("<textarea", tag)
    return html.endswith((" value", "\nvalue"), tag, html.rfind('="', tag, at))

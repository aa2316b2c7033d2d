"""The decided words of each language: of one group of languages per module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.languages.terms import asia, europe, near_east

DECIDED: Final[Mapping[str, Mapping[str, str]]] = {
    **europe.WORDS,
    **near_east.WORDS,
    **asia.WORDS,
}
"""By language the word that its catalogue has, and a pattern of what must not stand for it."""

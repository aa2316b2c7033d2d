"""The language that is being written: of the request, or of the challenge whose mail it is.

A context variable, so that templates are compiled once for all languages. It is set around each
page, answer and mail of ours, and never around the app.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pwless_middleware.languages.catalogue import ENGLISH, Catalogue

_current: ContextVar[Catalogue] = ContextVar("pwless_language", default=ENGLISH)

current_language = _current.get
"""Return the catalogue of the language that is being written; English where none was set."""


@contextmanager
def use_language(catalogue: Catalogue) -> Iterator[None]:
    """Write in a language within a `with` block."""
    token = _current.set(catalogue)
    try:
        yield
    finally:
        _current.reset(token)


def set_language(catalogue: Catalogue) -> None:
    """Write in a language until the block of `use_language` around the call ends."""
    _current.set(catalogue)


def translate(text: str) -> str:
    """Return a text in the language that is being written."""
    return _current.get().translate(text)

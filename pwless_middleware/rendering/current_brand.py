"""The brand of an organization, while a page or mail is written for it; else the deployment's.

A context variable, as the language is (`languages.current`): it is set around each page, answer and
mail of ours, and never around the app.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pwless_middleware.core.brand import Brand

_current: ContextVar[Brand | None] = ContextVar("pwless_brand", default=None)

current_brand = _current.get
"""Return the brand that is being written for; `None` is the deployment's."""


@contextmanager
def use_current_brand(brand: Brand | None) -> Iterator[None]:
    """Write for a brand within a `with` block; `None` is the deployment's."""
    token = _current.set(brand)
    try:
        yield
    finally:
        _current.reset(token)


def set_current_brand(brand: Brand | None) -> None:
    """Write for a brand until the block of `use_current_brand` around the call ends."""
    _current.set(brand)

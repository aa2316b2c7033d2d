"""Know which options were given, and which are defaults.

An option that a host gives in code is fixed; one that it does not give, an operator may set. A
signature with `None` for "not given" would hide the defaults from who reads it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

_T = TypeVar("_T")

_ATTRIBUTE = "_given_options"


def remember_given(cls: type[_T]) -> type[_T]:
    """Decorate a class so that `given_options` knows what its objects were given.

    A class with slots has one `_given_options`.
    """
    init: Callable[..., None] = cls.__init__
    signature = inspect.signature(init)

    @functools.wraps(init)
    def init_and_remember(self: _T, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        named = signature.bind(self, *args).arguments if args else ()  # `bind` is slow
        given = frozenset([*list(named)[1:], *options])
        object.__setattr__(self, _ATTRIBUTE, given)

    cls.__init__ = init_and_remember  # type: ignore[method-assign, assignment]  # the same arguments
    return cls


def given_options(made: object) -> frozenset[str]:
    """Return the names of the options that an object was given as it was made."""
    given: frozenset[str] = getattr(made, _ATTRIBUTE)
    return given

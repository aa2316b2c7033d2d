"""Make unknown and missing options a `ConfigError` that names the likely one.

Python's own answer is a `TypeError`, which every other mistake in an option is not.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeVar

from pwless_middleware.errors import ConfigError

_T = TypeVar("_T")

_TAKEN_BY: dict[str, str] = {}
"""Option to the class that takes it, of every class decorated here; the first one counts."""


def named_options(**hints: str) -> Callable[[type[_T]], type[_T]]:
    """Decorate a class so that a wrong call of it is a `ConfigError`.

    Args:
        hints: for a required option, what to set; it stands behind "this option is required".

    Raises:
        ConfigError: by the decorated class, where an option is unknown or a required one missing.
    """

    def decorate(cls: type[_T]) -> type[_T]:
        init: Callable[..., None] = cls.__init__
        signature = inspect.signature(init)
        taken = list(signature.parameters.values())[1:]
        known = {p.name for p in taken if p.kind is not p.VAR_KEYWORD}
        required = {p.name for p in taken if p.default is p.empty and p.kind is not p.VAR_KEYWORD}
        for option in list(signature.parameters)[1:]:
            _TAKEN_BY.setdefault(option, cls.__name__)

        @functools.wraps(init)
        def check_and_init(self: _T, *args: Any, **options: Any) -> None:
            named = options.keys()
            if not args and named <= known and required <= named:
                init(self, **options)  # as `bind` below would say, in a tenth of the time
                return
            try:
                signature.bind(self, *args, **options)
            except TypeError:
                parameters = dict(list(signature.parameters.items())[1:])
                unknown = [option for option in options if option not in parameters]
                if unknown:
                    _refuse_unknown(unknown[0], parameters, cls.__name__)
                _refuse_missing(parameters, args, options, hints)
            init(self, *args, **options)

        cls.__init__ = check_and_init  # type: ignore[method-assign, assignment]  # the same arguments
        return cls

    return decorate


def _refuse_unknown(option: str, known: Iterable[str], owner: str) -> NoReturn:
    from difflib import get_close_matches  # nobody else's start pays for it

    known = list(known)
    given = option.lower()
    likely = get_close_matches(given, known, n=1, cutoff=0.75)
    likely = likely or [name for name in known if given in name.split("_")]
    if not likely and option in _TAKEN_BY:
        raise ConfigError(option, f"it is an option of {_TAKEN_BY[option]}(...), not of {owner}")
    likely = likely or get_close_matches(given, known, n=1, cutoff=0.5)
    told = f"did you mean {likely[0]}?" if likely else f"there are {', '.join(known)}"
    raise ConfigError(option, f"{owner} has no such option; {told}")


def _refuse_missing(
    parameters: Mapping[str, inspect.Parameter],
    args: tuple[Any, ...],
    options: Mapping[str, Any],
    hints: Mapping[str, str],
) -> None:
    positional = [p for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(args) > len(positional):
        return  # which Python says well enough
    for option, parameter in list(parameters.items())[len(args) :]:
        if parameter.default is parameter.empty and option not in options:
            hint = f"; {hints[option]}" if option in hints else ""
            raise ConfigError(option, f"this option is required{hint}")

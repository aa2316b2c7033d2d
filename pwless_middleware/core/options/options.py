"""Check the type of an option; a wrong one is a `ConfigError` that names it.

The signatures say the same to a type checker; many hosts run without one, and an option of the
wrong kind must not wait for the first request to be found out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from pwless_middleware.errors import ConfigError


def check_flag(option: str, value: object) -> None:
    """Refuse what is not a boolean: `"no"` would be true.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(value, bool):
        raise ConfigError(option, "set True or False")


def check_texts(option: str, value: object, *, example: str) -> None:
    """Refuse what is not a list of texts; one text is not a list of its letters.

    Raises:
        ConfigError: it is something else.
    """
    is_list = isinstance(value, Collection) and not isinstance(value, str | bytes)
    if not (is_list and all(isinstance(text, str) for text in cast("Collection[object]", value))):
        raise ConfigError(option, f"give a list of texts, e.g. {example}")


def check_verbs(
    option: str, value: object, verbs: tuple[str, ...], *, example: str, part: str = ""
) -> None:
    """Refuse what lacks one of these methods: any object that has them is one of the kind.

    Args:
        option: its name.
        value: what was given.
        verbs: the methods that it has to have.
        example: what to set.
        part: which attribute of the option the value is; empty for the option itself.

    Raises:
        ConfigError: it lacks one, or is the class itself, which forgot its brackets.
    """
    lacks = [verb for verb in verbs if not callable(getattr(value, verb, None))]
    if isinstance(value, type) or (lacks and not part and len(lacks) == len(verbs)):
        raise ConfigError(option, f"set {example}")
    if lacks:
        named = ", ".join(f"{part}.{verb}" if part else verb for verb in lacks)
        raise ConfigError(option, f"{named} is missing: set {example}, or an object with all verbs")


def check_kind(option: str, value: object, kind: type, *, example: str) -> None:
    """Refuse what is not an object of this kind, and the class itself, which forgot its brackets.

    Raises:
        ConfigError: it is something else.
    """
    if isinstance(value, type) or not isinstance(value, kind):
        raise ConfigError(option, f"set {example}")


def check_encodable(option: str, text: str) -> None:
    """Refuse half a character: it stands for a byte that is no UTF-8, of an environment variable.

    The text is not quoted; it may be a secret.

    Raises:
        ConfigError: there is one.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        problem = ConfigError(option, "it holds a byte that is no UTF-8: set a text in UTF-8")
    else:
        return
    raise problem  # out here, so that the error which has the text is not chained


def check_trimmed(option: str, text: str) -> None:
    """Refuse a space or a line break at either end, as a value from a file or a form brings it.

    Raises:
        ConfigError: there is one.
    """
    if text != text.strip():
        raise ConfigError(option, f"{text!r} begins or ends with a space or line break: remove it")

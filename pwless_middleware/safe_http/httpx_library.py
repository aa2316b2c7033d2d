"""httpx, or httpx2, whose names are the same."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from pwless_middleware.errors import ConfigError


def find_httpx(option: str, *, use: str, extra: str) -> Any:
    """Return the module, whichever of the two is installed.

    Args:
        option: for whose sake, for the error.
        use: what needs it, in the plural, e.g. `text messages`.
        extra: which extra brings it.

    Raises:
        ConfigError: neither is installed.
    """
    for name in ("httpx", "httpx2"):
        if find_spec(name) is not None:
            return import_module(name)
    raise ConfigError(option, f"{use} need httpx: pip install 'pwless-middleware[{extra}]'")

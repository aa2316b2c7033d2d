"""What errors say to people, and the tree that the module draws."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest

import pwless_middleware
from pwless_middleware import errors
from pwless_middleware.errors import ApiError, PwlessError, RateLimited, TooManyAttempts


def drawn() -> Iterator[tuple[str, str, str]]:
    """Return name, parent and the words of each line of the tree."""
    parents = {-1: "Exception"}
    for line in (errors.__doc__ or "").splitlines():
        match = re.fullmatch(r" {4}([│├└─ ]*)([A-Z]\w+) *(.*)", line)
        if match:
            depth = len(match[1]) // 4
            parents[depth] = match[2]
            yield match[2], parents[depth - 1], match[3]


def classes(kind: type[Exception] = PwlessError) -> Iterator[type[Exception]]:
    """Return every error of the package; what is private is left out of the tree."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__.startswith("pwless_middleware."):
            yield from classes(below)


@pytest.fixture(scope="module", autouse=True)
def _whole_package() -> None:
    """Import every module, so that each error is known."""
    for module in pkgutil.walk_packages(pwless_middleware.__path__, "pwless_middleware."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """Whoever adds an error draws it."""
    there = {}
    for kind in classes():
        if not kind.__name__.startswith("_"):
            public = next(base for base in kind.__mro__[1:] if not base.__name__.startswith("_"))
            there[kind.__name__] = public.__name__
    assert {name: parent for name, parent, _ in drawn()} == there


def test_the_tree_names_the_status_of_each_answer() -> None:
    statuses = {kind.__name__: kind.status for kind in classes(ApiError)}  # type: ignore[attr-defined]
    for name, parent, words in drawn():
        if name in statuses and parent == "ApiError":
            assert words.startswith(f"{statuses[name]}  "), name


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (1, "1 second"),
        (90, "90 seconds"),
        (91, "2 minutes"),
        (5400, "90 minutes"),
        (5401, "2 hours"),
        (86400, "24 hours"),
    ],
)
def test_a_limit_says_how_long_it_lasts_and_never_too_little(seconds: int, words: str) -> None:
    assert str(RateLimited(seconds)).endswith(f"Try again in {words}.")


def test_a_wait_is_at_least_a_second() -> None:
    """`Retry-After: 0` would have a client come back in a loop."""
    assert RateLimited(0).retry_after == TooManyAttempts(-5).retry_after == 1

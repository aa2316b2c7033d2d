"""Routes of the app that never get a request, since our own pages stand at their paths.

An app that serves `/auth/login` itself would answer 404 there without a word, and nobody would know
why. Starlette, FastAPI and Litestar tell their routes; of other apps nothing can be said.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator

logger = logging.getLogger("pwless.startup")

_DEPTH = 50
"""Wrappers to look through, and mounts inside each other."""
_SHOWN = 5


def shadowed_routes(app: object, *, prefix: str, owns: Callable[[str], bool]) -> list[str]:
    """Return the paths of the app's routes that are ours, as the app writes them.

    Args:
        app: the app behind the login.
        prefix: where our pages are.
        owns: whether a path below the prefix is ours.
    """
    for _ in range(_DEPTH):
        if hasattr(app, "routes"):
            break
        app = getattr(app, "app", None)
    found = {path for path in _paths(app, "", _DEPTH) if path.startswith(prefix + "/")}
    return sorted(path for path in found if owns(path[len(prefix) :]))


def warn_of_shadowed(app: object, *, prefix: str, owns: Callable[[str], bool]) -> None:
    """Log one line if the app has routes that never get a request; arguments as above."""
    paths = shadowed_routes(app, prefix=prefix, owns=owns)
    if paths:
        logger.warning("%s", shadowing(paths, prefix), extra={"event": "routes_shadowed"})


def shadowing(paths: list[str], prefix: str) -> str:
    """Return what is the matter with shadowed routes, and what to set."""
    shown = ", ".join(paths[:_SHOWN]) + (", …" if len(paths) > _SHOWN else "")
    return (
        f"the app's own {shown} never gets a request: the login has its pages below {prefix}; set "
        "prefix= to a path that the app does not use"
    )


def _paths(node: object, above: str, depth: int) -> Iterator[str]:
    """Return the paths of everything that a router holds, mounts and included routers inside."""
    routes = getattr(node, "routes", None)
    if not isinstance(routes, Iterable) or isinstance(routes, str | bytes) or not depth:
        return
    for route in routes:
        path = getattr(route, "path", "")
        path = above + path if isinstance(path, str) else above
        included = getattr(route, "effective_route_contexts", None)  # FastAPI's include_router
        for context in included() if callable(included) else ():
            yield above + str(getattr(context, "path", ""))
        yield path
        yield from _paths(route, path, depth - 1)

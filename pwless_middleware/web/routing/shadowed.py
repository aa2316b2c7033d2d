"""Routes of the app that never get a request, since our own pages stand at their paths.

An app that serves `/auth/login` or `/.well-known/webauthn` itself would never be asked, without a
word, and nobody would know why. Starlette, FastAPI and Litestar tell their routes; of other apps
nothing can be said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from pwless_middleware.web.routing.routes import Routes

logger = logging.getLogger("pwless.startup")

_DEPTH = 50
"""Wrappers to look through, and mounts inside each other."""
_SHOWN = 5


def find_shadowed(app: object, *, prefix: str, routes: Routes) -> list[str]:
    """Return what is the matter with the app's routes that never get a request, and what to do.

    Args:
        app: the app behind the login.
        prefix: where our pages are.
        routes: ours.

    Returns:
        A sentence for those below the prefix, and one for those at the root, if there are any.
    """
    for _ in range(_DEPTH):
        if hasattr(app, "routes"):
            break
        app = getattr(app, "app", None)
    found = sorted({*_paths(app, "", _DEPTH)})
    is_below = prefix + "/"
    below = [one for one in found if one.startswith(is_below) and routes.owns(one[len(prefix) :])]
    at_root = [one for one in found if one in routes.at_root]
    sentences = []
    if below:
        sentences.append(
            f"the app's own {_list(below)} never gets a request: the login has its pages below "
            f"{prefix}; set prefix= to a path that the app does not use"
        )
    if at_root:
        sentences.append(
            f"the app's own {_list(at_root)} never gets a request: the login answers it at the "
            "root of the host; take it out of the app"
        )
    return sentences


def warn_of_shadowed(app: object, *, prefix: str, routes: Routes) -> None:
    """Log a line if the app has routes that never get a request; arguments as above."""
    for sentence in find_shadowed(app, prefix=prefix, routes=routes):
        logger.warning("%s", sentence, extra={"event": "routes_shadowed"})


def _list(paths: list[str]) -> str:
    return ", ".join(paths[:_SHOWN]) + (", …" if len(paths) > _SHOWN else "")


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

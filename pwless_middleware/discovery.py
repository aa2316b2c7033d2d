"""Find our middleware in somebody's app: outermost, inside other wrappers, or below a mount.

There is no one way in which ASGI apps hold each other, so this follows the ways that are common:
an attribute (`app` and the like), Starlette's and FastAPI's middleware list and routes, Channels'
protocol table, and what a wrapping function has closed over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from starlette.routing import Mount

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.middleware import Misconfigured, PasswordlessMiddleware

_INNER = ("app", "_app", "asgi_app", "application")
_MOST = 10_000
"""Objects to look at; an app that makes new ones at each look must not keep us forever."""


@dataclass(frozen=True, slots=True)
class Found:
    """Where a middleware is.

    Attributes:
        middleware: it.
        mount: the path below which it is mounted; empty for the whole app.
    """

    middleware: PasswordlessMiddleware
    mount: str


def find(app: object) -> list[Found]:
    """Return every middleware of ours in an app, outermost first.

    Raises:
        ConfigError: an app that makes its middleware late has been asked to make it now, and an
            option is wrong.
    """
    found: list[Found] = []
    queue = deque([(app, "")])
    seen: dict[int, object] = {}  # holds them, so that no id comes twice
    while queue and len(seen) < _MOST:
        node, mount = queue.popleft()
        if id(node) in seen or isinstance(node, type):
            continue
        seen[id(node)] = node
        if isinstance(node, Misconfigured):
            raise node.problem
        if isinstance(node, PasswordlessMiddleware):
            found.append(Found(node, mount))
        if isinstance(node, Mount):
            mount += node.path
        queue.extend((inner, mount) for inner in _inside(node))
    return found


def _inside(node: object) -> Iterator[object]:
    """Return what an object may pass a request on to."""
    build = getattr(node, "build_middleware_stack", None)
    if callable(build):
        stack = getattr(node, "middleware_stack", None)
        if stack is None:
            # Kept, so that what is looked at is what then serves.
            stack = build()
            node.middleware_stack = stack  # type: ignore[attr-defined]  # Starlette's own
        yield stack
    for name in _INNER:
        inner = getattr(node, name, None)
        if callable(inner):
            yield inner
    routes = getattr(node, "routes", None)
    if isinstance(routes, Iterable) and not isinstance(routes, str | bytes):
        yield from routes
    table = getattr(node, "application_mapping", None)
    if isinstance(table, dict):
        yield from table.values()
    yield getattr(node, "__self__", None)
    for cell in getattr(node, "__closure__", None) or ():
        try:
            held = cell.cell_contents
        except ValueError:
            continue  # named, but never bound
        if callable(held):
            yield held

"""Where a request is: below the server's root path, and below the path of `base_url`."""

from __future__ import annotations

from starlette.types import Scope

from pwless_middleware.core.paths import below, without_last_slash


def locate(scope: Scope, base_path: str) -> tuple[Scope, str, str, str]:
    """Return where a request is.

    Args:
        scope: of an http or websocket connection.
        base_path: the path of `base_url`, without a slash at its end; empty for none.

    Returns:
        - the scope, whose root path has no slash at its end;
        - the path below the root path, as the app will route it: what the gate decides by;
        - the path in which our pages are found. A server that knows no root path hands on the one
          of `base_url`, or not; they are found with and without it;
        - the root path, which stands before all our URLs.
    """
    path = scope["path"]
    root = scope.get("root_path", "")
    if not root:
        return scope, path, below(path, base_path) if base_path else path, base_path
    if root[-1] == "/":
        scope = _without_last_slash(scope)
        root = scope["root_path"]
    path = below(scope["path"], root)
    if not root and base_path:  # it was a slash and nothing else
        return scope, path, below(path, base_path), base_path
    return scope, path, path, root


def _without_last_slash(scope: Scope) -> Scope:
    path, root = without_last_slash(scope["path"], scope["root_path"])
    raw = scope.get("raw_path")
    if raw:
        raw = without_last_slash(raw.decode("latin-1"), scope["root_path"])[0].encode("latin-1")
    return {**scope, "path": path, "root_path": root, "raw_path": raw}

"""The guide's recipe: Datasette's actor is the user of the request."""

from __future__ import annotations

from typing import Any

from datasette import hookimpl


@hookimpl
def actor_from_request(request: Any) -> dict[str, str] | None:
    """Return the actor: who is signed in."""
    user = request.scope["state"]["user"]
    return {"id": user.email} if user.is_authenticated else None

"""`/.well-known/webauthn`: which pages of other hosts may use the passkeys of this one.

A browser asks for it at the root of the relying party id's host, when a page on a host outside of
it wants a passkey (WebAuthn Level 3 §5.11.1). Where that host is another one than the app's, or a
proxy takes the path for itself, `pwless check` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/.well-known/webauthn"


def related_origins(party: RelyingParty) -> Mapping[str, object]:
    """Return what a browser is told: the pages of other hosts (§5.11)."""
    return {"origins": list(party.related_origins)}


def related_origins_routes(party: RelyingParty) -> tuple[Route, ...]:
    """Return the route that tells it; none where no page is on another host."""

    async def show(request: Request) -> Response:
        return json_response(related_origins(party))

    if not party.related_origins:
        return ()
    return (Route(PATH, {"GET": show}, "api", at_root=True),)

"""Our own CSS, scripts and images: cacheable for good, since a name changes with its content."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import NotFound
from pwless_middleware.rendering.assets import find_color_sheet
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.routing.routes import Route


class StaticFiles:
    """Mount the static files."""

    def mount(self, kit: Kit) -> Mounted:
        """Return their route."""
        return Mounted(routes=(Route("/static/{id}", {"GET": _Static(kit).show}),))


class _Static:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def show(self, request: Request) -> Response:
        name, assets = request.path_params["id"], self._kit.renderer.assets
        # The name changes with the content, so the content never does.
        lifetime = "max-age=31536000, immutable"
        asset = assets.by_hashed_name.get(name) or find_color_sheet(name)
        if asset is None:
            asset = assets.other_version(name)
        if asset is not None and asset.hashed_name != name:
            lifetime = "max-age=60"
        if asset is None:
            raise NotFound
        headers = {
            "cache-control": f"public, {lifetime}",
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
        }
        return Response(asset.content, 200, headers, asset.media_type)

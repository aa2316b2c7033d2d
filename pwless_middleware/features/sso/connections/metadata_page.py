"""Our own SAML metadata: what an administrator of a provider reads or uploads there."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import NotFound
from pwless_middleware.features.sso.logins.flow import SSOFlow
from pwless_middleware.features.sso.logins.protocols import Protocols
from pwless_middleware.features.sso.paths import metadata_path
from pwless_middleware.features.sso.saml.own_metadata import MEDIA_TYPE
from pwless_middleware.web.responses.responses import EVERYWHERE
from pwless_middleware.web.routing.routes import Route


class MetadataPage:
    """Show the metadata of a connection to anybody: there is nothing secret in it.

    It is there as soon as the connection is, also while nothing is known of the provider.

    Args:
        flow: finds connections.
        protocols: say who we are to a provider.
    """

    def __init__(self, flow: SSOFlow, protocols: Protocols) -> None:
        self._flow = flow
        self._protocols = protocols
        self.routes = (Route(metadata_path("{connection}"), {"GET": self.show}),)

    async def show(self, request: Request) -> Response:
        """Return the metadata as XML."""
        found = await self._flow.connection(request.path_params["connection"])
        if found is None or found[0].kind != "saml":
            raise NotFound
        xml = self._protocols.own_metadata(found[0])
        return Response(xml, headers=EVERYWHERE, media_type=MEDIA_TYPE)

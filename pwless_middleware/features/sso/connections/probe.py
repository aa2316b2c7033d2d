"""Ask a connection's provider what can be known without anybody who signs in.

For who sets connections up by the JSON API: a whole login, in which somebody takes part, is what a
test on a page is (`connection_tests`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.client import OIDCClient
from pwless_middleware.features.sso.saml.certificates import warn_of_certificates
from pwless_middleware.features.sso.saml.metadata import fetch_metadata
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from pwless_middleware.flows.organizations.connections import ConnectionFault
from pwless_middleware.safe_http.client import SafeHTTPClient


class ConnectionProbe:
    """Ask providers.

    Args:
        oidc: asks those of OpenID Connect.
        client: asks those of SAML, where they describe themselves.
        clock: returns unix seconds.
        allow_loopback: whether providers may be on this machine. For development.
    """

    def __init__(
        self,
        oidc: OIDCClient,
        client: SafeHTTPClient,
        clock: Callable[[], int],
        *,
        allow_loopback: bool,
    ) -> None:
        self._oidc = oidc
        self._client = client
        self._clock = clock
        self._allow_loopback = allow_loopback

    async def find_faults(self, connection: Connection) -> Sequence[ConnectionFault]:
        """Return what is wrong with a connection (`Connections.probe_by`)."""
        try:
            if connection.kind == "oidc":
                await self._oidc.check(self._oidc.read_settings(connection.config))
                return ()
            return [_fault(one) for one in await self._find_saml_faults(connection)]
        except InvalidArgument as error:
            fields = ", ".join(violation.field for violation in error.violations)
            return [ConnectionFault("connection_incomplete", received=fields)]
        except SSOFault as fault:
            return [_fault(fault)]

    async def _find_saml_faults(self, connection: Connection) -> Sequence[SSOFault]:
        now = self._clock()
        settings = read_saml_settings(connection.config, allow_loopback=self._allow_loopback)
        faults = list(warn_of_certificates(settings.certificates, now))
        if settings.metadata_url:
            found = await fetch_metadata(self._client, settings.metadata_url, now=now)
            if found.entity_id != settings.entity_id:
                faults.append(
                    SSOFault(
                        "metadata_changed", expected=settings.entity_id, received=found.entity_id
                    )
                )
        return faults


def _fault(fault: SSOFault) -> ConnectionFault:
    return ConnectionFault(fault.code, fault.expected, fault.received)

"""What is entered of a provider, on the dashboard or in a set-up: read, checked at it, and kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.oidc.client import OIDCClient
from pwless_middleware.features.sso.oidc.settings import read_oidc_settings
from pwless_middleware.features.sso.saml.metadata import fetch_metadata, read_metadata
from pwless_middleware.features.sso.saml.settings import read_saml_settings
from pwless_middleware.features.sso.setup.fields import BY_HAND, METADATA, SECRET
from pwless_middleware.safe_http.client import SafeHTTPClient
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.flows.organizations.connections import Connections

MOST_METADATA: Final = 262_144
"""Characters of metadata that are pasted, at most."""
MOST_FORM: Final = 1_048_576
"""Bytes of the form: metadata are up to three times as long in it."""

BeforeAsking = Callable[[], Awaitable[None]]


class ProviderForms:
    """Keep what is entered of providers, once they answer.

    Args:
        connections: keep it.
        oidc: asks providers for their configuration.
        client: fetches metadata, and says where requests may go.
        clock: returns unix seconds.
        allow_loopback: whether that may be this machine. For development.
    """

    def __init__(
        self,
        connections: Connections,
        oidc: OIDCClient,
        client: SafeHTTPClient,
        clock: Callable[[], int],
        *,
        allow_loopback: bool,
    ) -> None:
        self._connections = connections
        self._oidc = oidc
        self._client = client
        self._clock = clock
        self._allow_loopback = allow_loopback

    async def save(
        self,
        connection: Connection,
        config: Mapping[str, object],
        form: Mapping[str, str],
        *,
        by: str,
        name: str | None = None,
        keeps_mfa: bool = True,
        before_asking: BeforeAsking | None = None,
    ) -> None:
        """Keep what a form says of a connection.

        Args:
            connection: as it was when the form was shown.
            config: what the fields of the form come to; metadata are read here.
            form: as it was posted.
            by: who does it.
            name: of the connection; `None` leaves it.
            keeps_mfa: whether a second factor goes on to count where the form leads to another
                provider than the one of which an operator has said so.
            before_asking: called before the provider is asked anything; may refuse. `None` for
                nothing.

        Raises:
            InvalidArgument: a field is bad, or somebody else has changed the connection.
            SSOFault: the provider, or what it says of itself, is not as it must be.
        """
        ask = before_asking or _ask_at_once
        change = partial(self._change, connection, name=name, by=by, keeps_mfa=keeps_mfa)
        if connection.kind == "saml":
            config = await self._read_metadata(config, form, ask)
            saml = read_saml_settings(config, allow_loopback=self._allow_loopback)
            await change(config=saml.to_json())
            return
        oidc = read_oidc_settings(config, judge=self._client.read_url)
        secret = form.get(SECRET, "").strip()
        is_kept = connection.has_secret and oidc.issuer == connection.provider
        if not secret and not is_kept:
            raise InvalidArgument.of(SECRET, Text("This field is required."), "required")
        await ask()
        await self._oidc.check(oidc)
        changed = await change(config=oidc.to_json())
        if secret:
            await self._connections.set_secret(
                connection.id, secret.encode(), seen=changed.version, by=by
            )

    async def _change(
        self,
        connection: Connection,
        *,
        config: dict[str, object],
        name: str | None,
        by: str,
        keeps_mfa: bool,
    ) -> Connection:
        if not keeps_mfa and replace(connection, config=config).leads_elsewhere(connection):
            config.pop("counts_mfa", None)
        return await self._connections.change(
            connection.id, name=name, config=config, seen=connection.version, by=by
        )

    async def _read_metadata(
        self, config: Mapping[str, object], form: Mapping[str, str], ask: BeforeAsking
    ) -> Mapping[str, object]:
        """Return a configuration with what the provider's metadata say, where there are any."""
        pasted, now = form.get(METADATA, "").strip(), self._clock()
        if len(pasted) > MOST_METADATA:
            raise SSOFault("metadata_too_large")
        if pasted:
            found = read_metadata(pasted.encode(), now=now, allow_loopback=self._allow_loopback)
            return {**config, **found.to_config()}
        url = str(config.get("metadata_url", ""))
        if not url:
            return config
        await ask()
        found = await fetch_metadata(self._client, url, now=now)
        return {**config, **found.to_config()}


def field_of_fault(connection: Connection, form: Mapping[str, str]) -> str:
    """Return the field that a fault of the provider is told at: the one that led to it."""
    if connection.kind == "oidc":
        return "issuer"
    if form.get(METADATA, "").strip():
        return METADATA
    return "metadata_url" if form.get("metadata_url", "").strip() else BY_HAND[0]


async def _ask_at_once() -> None:
    """Refuse nothing."""

"""Look at the metadata of SAML providers every day, and take over what has changed there.

A provider that is about to sign with a new certificate shows it in its metadata beside the old one,
weeks ahead; who has taken it over by then notices nothing. What is taken over is where the provider
is asked and what it signs with, and only for the entity ID that the connection has: whoever may
write the metadata signs people in, as they could from the first day.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Final

from pwless_middleware.core.organizations.connection import Connection
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.features.sso.faults import SSOFault
from pwless_middleware.features.sso.saml.metadata import fetch_metadata
from pwless_middleware.features.sso.saml.settings import SAMLSettings, read_saml_settings
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.organizations.connections import Connections
from pwless_middleware.safe_http.client import SafeHTTPClient

logger = logging.getLogger("pwless.sso")

DAY: Final = 86_400
AT_ONCE: Final = 8
"""Servers that are asked at the same time."""
PAGE: Final = 100
"""Connections that are read at once."""
_BY: Final = "pwless"


class MetadataRefresh:
    """Take over what providers say of themselves.

    Args:
        connections: keep it.
        client: makes the requests.
        events: are told what could not be read.
        clock: returns unix seconds.
        allow_loopback: whether providers may be on this machine. For development.
    """

    def __init__(
        self,
        connections: Connections,
        client: SafeHTTPClient,
        events: Events,
        clock: Callable[[], int],
        *,
        allow_loopback: bool = False,
    ) -> None:
        self._connections = connections
        self._client = client
        self._events = events
        self._clock = clock
        self._allow_loopback = allow_loopback

    async def run(self) -> None:
        """Look at all of them.

        Raises:
            StoreError: the database cannot be asked.
        """
        waiting: list[tuple[Connection, SAMLSettings]] = []
        async for connection, settings in saml_connections(
            self._connections, allow_loopback=self._allow_loopback
        ):
            if settings.metadata_url:
                waiting.append((connection, settings))
            if len(waiting) == AT_ONCE:
                await asyncio.gather(*(self._refresh(*one) for one in waiting))
                waiting.clear()
        await asyncio.gather(*(self._refresh(*one) for one in waiting))

    async def _refresh(self, connection: Connection, settings: SAMLSettings) -> None:
        """Look at one; what is wrong with it is told, and is no reason to leave out the next."""
        try:
            found = await fetch_metadata(self._client, settings.metadata_url, now=self._clock())
            if found.entity_id != settings.entity_id:
                raise SSOFault(
                    "metadata_changed", expected=settings.entity_id, received=found.entity_id
                )
        except SSOFault as fault:
            self._events.record(
                "sso.metadata_failed",
                organization=connection.organization,
                reason=fault.code,
                details={"connection": connection.id},
            )
            logger.warning(
                "the metadata of the provider of %s cannot be read: %s",
                connection.id,
                fault.code,
                extra={"event": "sso_metadata_failed", "connection": connection.id},
            )
            return
        new = replace(settings, sso_url=found.sso_url, certificates=found.certificates)
        if new == settings:
            return
        try:
            await self._connections.change(
                connection.id,
                config=new.to_json(),
                seen=connection.version,
                still_tested=True,
                by=_BY,
            )
        except (InvalidArgument, NotFound):  # somebody has changed it meanwhile: tomorrow, then
            logger.info("%s has been changed while its metadata were read", connection.id)


async def saml_connections(
    connections: Connections, *, allow_loopback: bool = False
) -> AsyncIterator[tuple[Connection, SAMLSettings]]:
    """Go through the connections by SAML that are set up completely, of all organizations.

    Args:
        connections: keep them.
        allow_loopback: whether providers may be on this machine.

    Raises:
        StoreError: the database cannot be asked.
    """
    after = ""
    while page := await connections.list_all(after=after, limit=PAGE):
        for connection in page:
            if connection.kind == "saml":
                try:
                    settings = read_saml_settings(connection.config, allow_loopback=allow_loopback)
                except InvalidArgument:
                    continue  # not complete yet: its page says so
                yield connection, settings
        after = page[-1].id

"""Warn before the last certificate of a SAML provider ends: in the log, and where findings are.

It would still be accepted (`certificates`), so nobody is locked out by a day that was forgotten. A
provider mostly changes its certificate before, though, and what it then signs with is unknown here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.errors import StoreError
from pwless_middleware.features.sso.saml.certificates import warn_of_certificates
from pwless_middleware.features.sso.saml.metadata_refresh import DAY, saml_connections
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.organizations.connections import Connections
from pwless_middleware.text import Text

WARNED_AT: Final = (0, 1, 7, 14, 30)
"""Days before the end at which an event tells it, once each."""
MOST_NAMED: Final = 20
"""Connections that are named; the others are counted."""


class CertificateWarnings:
    """Look for certificates that end.

    Args:
        connections: have them.
        told: remembers what was told.
        events: are told.
        clock: returns unix seconds.
        allow_loopback: whether providers may be on this machine. For development.
    """

    def __init__(
        self,
        connections: Connections,
        told: Records,
        events: Events,
        clock: Callable[[], int],
        *,
        allow_loopback: bool = False,
    ) -> None:
        self._connections = connections
        self._told = told
        self._events = events
        self._clock = clock
        self._allow_loopback = allow_loopback

    async def run(self) -> None:
        """Tell what ends soon, and what has ended.

        Raises:
            StoreError: the database or the store cannot be asked.
        """
        now = self._clock()
        async for connection, settings in saml_connections(
            self._connections, allow_loopback=self._allow_loopback
        ):
            for fault in warn_of_certificates(settings.certificates, now):
                ends = max(one.ends_at for one in settings.certificates)
                days = next(days for days in WARNED_AT if ends - now <= days * DAY)
                if await self._told.add(f"{connection.id} {ends} {days}", ttl=40 * DAY):
                    self._events.record(
                        "sso.certificate_ends",
                        organization=connection.organization,
                        reason=fault.code,
                        details={"connection": connection.id, "ends": fault.received[:10]},
                    )

    async def findings(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what ends soon, and what has ended (`Mounted.findings`)."""
        if not may_ask:
            return []
        found: list[Finding] = []
        more, now = 0, self._clock()
        try:
            async for connection, settings in saml_connections(
                self._connections, allow_loopback=self._allow_loopback
            ):
                for fault in warn_of_certificates(settings.certificates, now):
                    if len(found) == MOST_NAMED:
                        more += 1
                        continue
                    text = Text(
                        "%(name)s (%(id)s), until %(day)s: %(problem)s",
                        name=connection.name,
                        id=connection.id,
                        day=fault.received[:10],
                        problem=fault.text,
                    )
                    found.append(Finding("warn", "sso", text))
        except StoreError:  # which is told elsewhere
            return found
        if more:
            text = Text.for_count(
                "The certificate of %(n)s more connection ends.",
                "The certificates of %(n)s more connections end.",
                more,
            )
            found.append(Finding("warn", "sso", text))
        return found

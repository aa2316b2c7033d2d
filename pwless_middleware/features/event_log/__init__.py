"""The events of the database: read by servers, and deleted when they are old enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.flows.capabilities.periodic import Periodic
from pwless_middleware.web.kit import Kit, Mounted

if TYPE_CHECKING:
    from pwless_middleware.core.events.event_retention import EventRetention

_HOUR = 3600


class EventLog:
    """Keep the log of events in the database; without one it adds nothing.

    Args:
        retention: how long events are kept; `None` takes the defaults.
    """

    def __init__(self, retention: EventRetention | None) -> None:
        self._retention = retention

    def mount(self, kit: Kit) -> Mounted:
        """Return the JSON resource and the periodic deletion."""
        repository = kit.history.repository
        if repository is None or kit.repositories is None:
            return Mounted()
        # Not loaded where there is no database.
        from pwless_middleware.core.events.event_retention import EventRetention
        from pwless_middleware.features.event_log.api import EventsApi
        from pwless_middleware.features.event_log.deletion import OldEvents

        old = OldEvents(
            repository,
            kit.repositories.event_counters,
            self._retention or EventRetention(),
            kit.clock,
        )
        return Mounted(
            routes=EventsApi(kit).routes,
            periodic=(Periodic("delete_old", _HOUR, old.delete),),
        )

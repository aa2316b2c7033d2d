"""Log lines of events, for those of which operators read: a subscriber of `flows.events`."""

from __future__ import annotations

import logging
from typing import Final

from pwless_middleware.core.events.event import Event
from pwless_middleware.flows.events.flood_log import FloodLog


class EventLines:
    """Write a line to the `pwless` loggers for each event that has one."""

    kinds: Final = ("limit.reached", "session.created", "session.renewed")
    """Those that have one."""

    def __init__(self) -> None:
        self._floods = FloodLog(logging.getLogger("pwless.challenges"))
        self._logins = logging.getLogger("pwless.logins")

    def __call__(self, event: Event) -> None:
        """Write an event's line, in the running event loop."""
        if event.kind == "limit.reached" and event.reason is not None:
            # Which limit was hit is for the operator; the caller hears only how long to wait.
            text, scope = event.reason.replace("_", " "), event.reason.rpartition("_")[2]
            self._floods.warning(f"limit reached: {text}", event="limited", scope=scope)
        elif event.methods is not None:
            self._logins.info(
                "signed in by %s",
                " and ".join(event.methods),
                extra={"event": "signed_in", "methods": event.methods},
            )

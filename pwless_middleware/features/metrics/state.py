"""What is looked up as somebody asks for the metrics: how things stand now.

Each is a fact about all processes, so that any of them may tell it. What cannot be looked up is
left out or told as down: the metrics are wanted most while something is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

import pwless_middleware
from pwless_middleware.errors import StoreError
from pwless_middleware.web.kit import Kit


class State:
    """Look up how things stand.

    Args:
        kit: the feature's.
    """

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def look(self) -> Sequence[Metric]:
        """Return the metrics of now; never raises for what is down."""
        is_store_up, down = await asyncio.gather(self._is_store_up(), self._kit.checks.down())
        up = GaugeMetricFamily("pwless_up", "1 where a part works, 0 where not.", labels=["part"])
        up.add_metric(["store"], float(is_store_up))
        up.add_metric(["delivery"], float(not self._kit.is_delivery_failing()))
        up.add_metric(["text_delivery"], float(not self._kit.is_text_delivery_failing()))
        for name in self._kit.checks.names:
            up.add_metric([name], float(name not in down))
        dropped = CounterMetricFamily(
            "pwless_events_dropped",
            "Events of which subscribers were not told, these metrics included: too many waited.",
        )
        dropped.add_metric([], self._kit.events.dropped)
        build = GaugeMetricFamily("pwless_build", "Always 1.", labels=["version"])
        build.add_metric([pwless_middleware.__version__], 1)
        return (up, dropped, build)

    async def _is_store_up(self) -> bool:
        try:
            await self._kit.store.ping()
        except StoreError as error:
            self._kit.pages.outages.note(error)
            return False
        return True

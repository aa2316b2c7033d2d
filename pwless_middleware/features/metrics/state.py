"""What is looked up as somebody asks for the metrics: how things stand now.

Each is a fact about all processes, so that any of them may tell it. What cannot be looked up is
left out or told as down: the metrics are wanted most while something is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

import pwless_middleware
from pwless_middleware.errors import StoreError, Unavailable
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
        is_store_up, down, queue = await asyncio.gather(
            self._is_store_up(), self._kit.checks.down(), self._look_at_queue()
        )
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
        return (up, dropped, build, *queue)

    async def _look_at_queue(self) -> Sequence[Metric]:
        """Return how much waits, and for how long; nothing where the queue cannot be asked."""
        try:
            found = await self._kit.delivery.count()
        except (StoreError, Unavailable):
            return ()  # `pwless_up` tells it
        jobs = GaugeMetricFamily(
            "pwless_queue_jobs",
            "Jobs in the delivery queue: all that wait, those due now, and those given up.",
            labels=["state"],
        )
        for state, count in (("waiting", found.waiting), ("due", found.due), ("dead", found.dead)):
            jobs.add_metric([state], count)
        waits = 0 if found.oldest is None else max(0, self._kit.clock() - found.oldest)
        oldest = GaugeMetricFamily(
            "pwless_queue_oldest_seconds", "How long the job has waited that waits longest."
        )
        oldest.add_metric([], waits)
        return (jobs, oldest)

    async def _is_store_up(self) -> bool:
        try:
            await self._kit.store.ping()
        except StoreError as error:
            self._kit.pages.outages.note(error)
            return False
        return True

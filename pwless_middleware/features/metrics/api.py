"""`GET {prefix}/metrics`: the numbers, as Prometheus or OpenMetrics text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, values
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import Unauthenticated
from pwless_middleware.features.metrics.state import State
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.own_machine import is_own_machine
from pwless_middleware.web.responses.responses import EVERYWHERE
from pwless_middleware.web.routing.operations import API_KEY, Operation
from pwless_middleware.web.routing.routes import Route


class MetricsApi:
    """Answer with the metrics.

    Args:
        kit: the feature's.
        registry: has what is counted.
        state: looks up the rest.
    """

    def __init__(self, kit: Kit, registry: CollectorRegistry, state: State) -> None:
        self._kit = kit
        self._registry = registry
        self._state = state
        self.routes = (Route("/metrics", {"GET": self.show}, "api", {"GET": _METRICS}),)

    async def show(self, request: Request) -> Response:
        """Return all metrics, in the format that is asked for of the two."""
        if "authorization" in request.headers or not is_own_machine(request.scope):
            await self._kit.callers.server(request, scope="metrics")
        shown = _Shown(self._collector(), await self._state.look())
        if "application/openmetrics-text" in request.headers.get("accept", ""):
            text: bytes = openmetrics.generate_latest(shown)
            return Response(text, media_type=openmetrics.CONTENT_TYPE_LATEST, headers=EVERYWHERE)
        return Response(
            generate_latest(shown), media_type=CONTENT_TYPE_PLAIN_0_0_4, headers=EVERYWHERE
        )

    def _collector(self) -> Collector:
        """Return what this process has counted, or all of this machine, where that is set up."""
        if not values.ValueClass._multiprocess:
            return self._registry
        all_processes: Collector = MultiProcessCollector(None)
        return all_processes


class _Shown:
    """What is counted, and then how things stand."""

    def __init__(self, counted: Collector, state: Iterable[Metric]) -> None:
        self._counted = counted
        self._state = state

    def collect(self) -> Iterator[Metric]:
        yield from self._counted.collect()
        yield from self._state


_METRICS = Operation(
    id="getMetrics",
    summary="Numbers for Prometheus",
    about="From the app's own machine, and not by a proxy, no API key is needed. As OpenMetrics "
    "for who accepts `application/openmetrics-text`.",
    security=((API_KEY,), ()),
    answers={200: None},
    text="text/plain",
    errors=(Unauthenticated,),
)

"""The feature itself: its option, checked, and what it mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.kit import Kit, Mounted

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


@named_options()
class Metrics:
    """Count logins, steps, emails, limits and sessions for Prometheus, at `/auth/metrics`.

    It answers who has an API key for `metrics`, and this machine itself. Needs the extra
    `[metrics]`. Each process counts what it does itself: scrape each, or set
    `PROMETHEUS_MULTIPROC_DIR`, by which prometheus-client adds up those of one machine.

    Args:
        registry: where what is counted is registered: `prometheus_client.REGISTRY` shows it among
            the app's own metrics too. `None` (default) is a registry of its own.

    Raises:
        ConfigError: prometheus-client is not installed, or `registry` is none, or has these
            metrics already.
    """

    def __init__(self, *, registry: CollectorRegistry | None = None) -> None:
        try:
            from prometheus_client import CollectorRegistry
        except ImportError as error:
            raise ConfigError(
                "features", "Metrics needs: pip install 'pwless-middleware[metrics]'"
            ) from error
        if registry is not None and not isinstance(registry, CollectorRegistry):
            raise ConfigError(
                "registry", "set a prometheus_client.CollectorRegistry, e.g. its REGISTRY, or None"
            )
        self._registry = registry

    def mount(self, kit: Kit) -> Mounted:
        """Return the page, and what listens to events.

        Raises:
            ConfigError: the registry has these metrics already.
        """
        from prometheus_client import CollectorRegistry

        from pwless_middleware.features.metrics.api import MetricsApi
        from pwless_middleware.features.metrics.counters import Counters
        from pwless_middleware.features.metrics.state import State

        registry = CollectorRegistry() if self._registry is None else self._registry
        try:
            counters = Counters(registry, kit.events)
        except ValueError as error:
            raise ConfigError(
                "registry",
                "it has these metrics already, of another Metrics(): give each app a registry of "
                "its own, or leave it out",
            ) from error
        kit.store_times.subscribe(counters.note_store)
        return Mounted(
            routes=MetricsApi(kit, registry, State(kit)).routes, on_event=counters.note_event
        )

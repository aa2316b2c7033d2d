"""The feature itself: its option, checked, and what it mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pwless_middleware.core.options.named_options import named_options
from pwless_middleware.errors import ConfigError
from pwless_middleware.web.kit import Kit, Mounted

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider


@named_options()
class Tracing:
    """Record sends, proofs, steps and deliveries as OpenTelemetry spans, inside the app's own.

    Needs the extra `[otel]`, and a tracer that the app sets up. Spans are `pwless.send`,
    `pwless.resend`, `pwless.verify`, `pwless.step` and `pwless.deliver`; none is made for other
    requests. Nothing of a person is in them.

    Args:
        tracer_provider: makes the tracer; `None` (default) is the one that the app has set for all
            (`opentelemetry.trace.set_tracer_provider`), also if it does so later.

    Raises:
        ConfigError: opentelemetry-api is not installed, or `tracer_provider` is none.
    """

    def __init__(self, *, tracer_provider: TracerProvider | None = None) -> None:
        try:
            from opentelemetry.trace import TracerProvider
        except ImportError as error:
            raise ConfigError(
                "features", "Tracing needs: pip install 'pwless-middleware[otel]'"
            ) from error
        if tracer_provider is not None and not isinstance(tracer_provider, TracerProvider):
            raise ConfigError(
                "tracer_provider", "set a TracerProvider of OpenTelemetry, or None for the app's"
            )
        self._tracer_provider = tracer_provider

    def mount(self, kit: Kit) -> Mounted:
        """Bind the steps to the tracer; there is nothing to serve."""
        from opentelemetry.trace import get_tracer

        import pwless_middleware
        from pwless_middleware.features.tracing.steps import TracedSteps

        tracer = get_tracer(
            "pwless_middleware",
            pwless_middleware.__version__,
            tracer_provider=self._tracer_provider,
        )
        kit.spans.bind(TracedSteps(tracer).step)
        return Mounted()

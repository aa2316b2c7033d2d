"""A step as a span: what went wrong by its code alone, without texts and tracebacks.

An exception's text may quote what a mail server said, and with it an address; so OpenTelemetry's
own record of exceptions is left out (security rule 66).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import SpanKind, StatusCode, Tracer

from pwless_middleware.core.spans import Note
from pwless_middleware.errors import ApiError

_OURS = 500  # from this status on it is no refusal, but a failure


class TracedSteps:
    """Make spans.

    Args:
        tracer: makes them.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def step(self, name: str) -> Iterator[Note]:
        """Return the context of a step; a refusal is an outcome, and only a failure is an error."""
        with self._tracer.start_as_current_span(
            name, kind=SpanKind.INTERNAL, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span.set_attribute
            except ApiError as error:
                span.set_attribute("pwless.outcome", error.code)
                if error.status >= _OURS:
                    span.set_status(StatusCode.ERROR)
                raise
            except Exception as error:
                span.set_attribute("pwless.outcome", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise
            else:
                span.set_attribute("pwless.outcome", "ok")

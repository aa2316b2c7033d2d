"""A step as a span: what went wrong by its code alone, without texts and tracebacks.

An exception's text may quote what a mail server said, and with it an address; so OpenTelemetry's
own record of exceptions is left out (security rule 66). A tracer that fails itself, as the span
processor of an app may, is logged, and nobody's login ends by it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.trace import SpanKind, StatusCode, Tracer

from pwless_middleware.core.spans import Note
from pwless_middleware.errors import ApiError
from pwless_middleware.flows.events.flood_log import FloodLog

logger = logging.getLogger("pwless.tracing")

_OURS = 500  # from this status on it is no refusal, but a failure


class TracedSteps:
    """Make spans.

    Args:
        tracer: makes them.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._floods = FloodLog(logger)

    @contextmanager
    def step(self, name: str) -> Iterator[Note]:
        """Return the context of a step; a refusal is an outcome, and only a failure is an error."""
        context = self._tracer.start_as_current_span(
            name, kind=SpanKind.INTERNAL, record_exception=False, set_status_on_exception=False
        )
        span = self._ask(context.__enter__)
        if span is None:
            yield lambda name, value: None
            return

        def note(name: str, value: str | int) -> None:
            self._ask(span.set_attribute, name, value)

        try:
            yield note
        except ApiError as error:
            note("pwless.outcome", error.code)
            if error.status >= _OURS:
                self._ask(span.set_status, StatusCode.ERROR)
            raise
        except Exception as error:
            note("pwless.outcome", type(error).__name__)
            self._ask(span.set_status, StatusCode.ERROR)
            raise
        else:
            note("pwless.outcome", "ok")
        finally:
            self._ask(context.__exit__, None, None, None)

    def _ask(self, function: Callable[..., Any], *given: object) -> Any:
        """Return what a function of the tracer returns; `None` where it fails."""
        try:
            return function(*given)
        except Exception as error:
            self._floods.warning(
                f"a span was lost: the tracer fails with {type(error).__name__}",
                event="tracing_failed",
            )
            return None

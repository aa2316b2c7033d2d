"""Steps of logins as spans of OpenTelemetry."""

from __future__ import annotations

from pwless_middleware.features.tracing.options import Tracing

__all__ = ["Tracing"]

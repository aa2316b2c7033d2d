"""Numbers for Prometheus: what is counted, and the page that shows it."""

from __future__ import annotations

from pwless_middleware.features.metrics.options import Metrics

__all__ = ["Metrics"]

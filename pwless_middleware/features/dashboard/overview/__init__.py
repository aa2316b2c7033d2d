"""The overview: how sign-ins go, what is down, and what would go wrong.

All numbers are read from counters that are written with the events, so that a quarter costs as much
as a day, however many events there are.
"""

from __future__ import annotations

from pwless_middleware.features.dashboard.overview.page import Overview

__all__ = ["Overview"]

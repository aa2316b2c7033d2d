"""The dashboard: one place for operators to see, decide and explain.

    Dashboard(operators=["ops@acme.example"])

Each section is a module or package of its own, and mounts its routes and its page by the seam that
any feature has (`Mounted.dashboard_pages`); `options.Dashboard` puts them together, and says who is
an operator.
"""

from __future__ import annotations

from pwless_middleware.features.dashboard.options import Dashboard

__all__ = ["Dashboard"]

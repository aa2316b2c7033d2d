"""Who may use the dashboard: the page, the mails, and the changes of those in the database."""

from __future__ import annotations

from pwless_middleware.features.dashboard.operators.pages import OperatorPages

__all__ = ["OperatorPages"]

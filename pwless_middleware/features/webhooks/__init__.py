"""Events, sent to servers that operators name: webhooks, signed as Standard Webhooks asks."""

from __future__ import annotations

from pwless_middleware.features.webhooks.options import Webhooks

__all__ = ["Webhooks"]

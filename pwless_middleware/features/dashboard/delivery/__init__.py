"""What is to be sent: the queue, what was given up, the servers, and the sender's domain."""

from __future__ import annotations

from pwless_middleware.features.dashboard.delivery.section import DeliverySection

__all__ = ["DeliverySection"]

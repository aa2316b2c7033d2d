"""Second factors: apps, text messages, recovery codes, trusted browsers; asked at every login."""

from __future__ import annotations

from pwless_middleware.features.second_factors.options import SecondFactors

__all__ = ["SecondFactors"]

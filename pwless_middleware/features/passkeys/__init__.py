"""Passkeys: sign in by a touch, after the first mail; by pages, JSON and Python over one flow."""

from __future__ import annotations

from pwless_middleware.features.passkeys.options import Passkeys

__all__ = ["Passkeys"]

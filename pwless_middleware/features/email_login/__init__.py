"""Email login: a link, a code, or both, in one mail; by pages, JSON and Python over one flow."""

from __future__ import annotations

from pwless_middleware.features.email_login.options import EmailLogin

__all__ = ["EmailLogin"]

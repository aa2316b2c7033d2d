"""E-mail login: a link, a code, or both, in one mail. Two skins (pages, JSON) over one flow."""

from __future__ import annotations

from pwless_middleware.features.email_login.options import EmailLogin

__all__ = ["EmailLogin"]

"""Social login: people sign in with an account at a provider that is configured in code."""

from __future__ import annotations

from pwless_middleware.features.sso.social.options import OIDC

__all__ = ["OIDC"]

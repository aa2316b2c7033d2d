"""Organizations: members, invitations, and whose rules a login and a session go by."""

from __future__ import annotations

from pwless_middleware.features.organizations.options import Organizations

__all__ = ["Organizations"]

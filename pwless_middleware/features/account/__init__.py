"""A person's own sessions: log out, see them, end them. Two skins: pages and JSON."""

from __future__ import annotations

from pwless_middleware.features.account.logout_page import LogoutPage
from pwless_middleware.features.account.sessions_api import SessionApi
from pwless_middleware.features.account.sessions_page import SessionPages
from pwless_middleware.web.kit import Kit, Mounted


class Account:
    """Mount logout, the sessions page and the session resource."""

    def mount(self, kit: Kit) -> Mounted:
        """Return their routes."""
        pages = (*LogoutPage(kit).routes, *SessionPages(kit).routes)
        return Mounted(routes=(*pages, *SessionApi(kit).routes))

"""A person's own account: its pages and its JSON, the session resource."""

from __future__ import annotations

from pwless_middleware.features.account.account_index import AccountIndex
from pwless_middleware.features.account.logout_page import LogoutPage
from pwless_middleware.features.account.sessions_api import SessionApi
from pwless_middleware.features.account.sessions_page import SessionPages
from pwless_middleware.web.kit import Kit, Mounted


class Account:
    """Mount the account's pages, logout and the session resource."""

    def mount(self, kit: Kit) -> Mounted:
        """Return their routes, and the page that stands in the account's navigation."""
        sessions = SessionPages(kit)
        pages = (*AccountIndex(kit).routes, *LogoutPage(kit).routes, *sessions.routes)
        return Mounted(
            routes=(*pages, *SessionApi(kit).routes), account_pages=(sessions.account_page,)
        )

"""The login page: it offers what the mounted login methods offer, in their order."""

from __future__ import annotations

from pwless_middleware.features.login_page.pages import LoginPages
from pwless_middleware.web.kit import Kit, Mounted


class LoginPage:
    """Mount the login page."""

    def mount(self, kit: Kit) -> Mounted:
        """Return its route."""
        return Mounted(routes=LoginPages(kit).routes)

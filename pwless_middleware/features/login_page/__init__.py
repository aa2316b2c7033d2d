"""The login page: it offers what the mounted login methods offer, in their order."""

from __future__ import annotations

from pwless_middleware.features.login_page.language import ChosenLanguage
from pwless_middleware.features.login_page.pages import LoginPages
from pwless_middleware.web.kit import Kit, Mounted


class LoginPage:
    """Mount the login page."""

    def mount(self, kit: Kit) -> Mounted:
        """Return its route, and that of the menu of languages."""
        return Mounted(routes=(*LoginPages(kit).routes, *ChosenLanguage(kit).routes))

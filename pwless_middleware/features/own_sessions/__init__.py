"""A person's own sessions: log out, see them, end them. Two skins: pages and JSON."""

from __future__ import annotations

from pwless_middleware.features.own_sessions.api import SessionApi
from pwless_middleware.features.own_sessions.asker import Asker
from pwless_middleware.features.own_sessions.pages import SessionPages
from pwless_middleware.web.kit import Kit, Mounted


class OwnSessions:
    """Mount logout, the sessions page and the session resource."""

    def mount(self, kit: Kit) -> Mounted:
        """Give their routes."""
        asker = Asker(kit)
        return Mounted(routes=(*SessionPages(kit, asker).routes, *SessionApi(kit, asker).routes))

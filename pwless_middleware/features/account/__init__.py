"""A person's own account: its pages and its JSON, the session and the account resource."""

from __future__ import annotations

from pwless_middleware.features.account.account_index import AccountIndex
from pwless_middleware.features.account.logout_page import LogoutPage
from pwless_middleware.features.account.profile_page import ProfilePage
from pwless_middleware.features.account.sessions_api import SessionApi
from pwless_middleware.features.account.sessions_page import SessionPages
from pwless_middleware.flows.capabilities.topics import ReadJob
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.offers import AccountPage
from pwless_middleware.web.routing.routes import Route


class Account:
    """Mount the account's pages, logout, and the two resources.

    Where the database keeps the people, they have a name and a language there, an export, and a
    way to delete themselves. Elsewhere a profile has the language of this browser alone; where
    there is one language, there is no such page.
    """

    def mount(self, kit: Kit) -> Mounted:
        """Return their routes, and the pages that stand in the account's navigation."""
        sessions = SessionPages(kit)
        routes: list[Route] = [*AccountIndex(kit).routes, *LogoutPage(kit).routes]
        routes += [*sessions.routes, *SessionApi(kit).routes]
        pages: list[AccountPage] = [sessions.account_page]
        jobs: dict[str, ReadJob] = {}
        people = kit.people if kit.users.keeps_people else None
        if people is not None:
            # Who has no database imports none of this.
            from pwless_middleware.features.account.own_account import OwnAccount

            own = OwnAccount(kit, people)
            routes += own.routes
            jobs = own.jobs
        if people is not None or len(kit.languages.codes) > 1:
            profile = ProfilePage(kit, people)
            routes += profile.routes
            pages.append(profile.account_page)
        return Mounted(routes=tuple(routes), account_pages=tuple(pages), jobs=jobs)

"""A person's own account: its pages and its JSON, the session and the account resource."""

from __future__ import annotations

from pwless_middleware.features.account.account_api import AccountApi
from pwless_middleware.features.account.account_index import AccountIndex
from pwless_middleware.features.account.delete_page import DeletePage
from pwless_middleware.features.account.export_page import ExportPage
from pwless_middleware.features.account.logout_page import LogoutPage
from pwless_middleware.features.account.profile_page import ProfilePage
from pwless_middleware.features.account.sessions_api import SessionApi
from pwless_middleware.features.account.sessions_page import SessionPages
from pwless_middleware.flows.account_deletion import TOPIC, AccountDeletion
from pwless_middleware.flows.notices import Notices
from pwless_middleware.flows.topics import ReadJob
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.offers import AccountPage
from pwless_middleware.web.routes import Route


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
            host = kit.origin.host.partition(":")[0]
            notices = Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock)
            deletion = AccountDeletion(
                people,
                kit.store,
                kit.jobs,
                notices,
                clock=kit.clock,
                wake_delivery=kit.wake_delivery,
            )
            routes += [*ExportPage(kit, people).routes, *DeletePage(kit, deletion).routes]
            routes += AccountApi(kit, people, deletion).routes
            jobs[TOPIC] = deletion.read
        if people is not None or len(kit.languages.codes) > 1:
            profile = ProfilePage(kit, people)
            routes += profile.routes
            pages.append(profile.account_page)
        return Mounted(routes=tuple(routes), account_pages=tuple(pages), jobs=jobs)

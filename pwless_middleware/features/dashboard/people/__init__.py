"""People: find them, see what there is about one, and act on them.

Where the host's own table has the people (`users=`), what hangs on their ids is here all the same:
sessions, factors, events; the rest is the table's, and the page says so.
"""

from __future__ import annotations

from pwless_middleware.features.dashboard.people.deletion import DeletionPage
from pwless_middleware.features.dashboard.people.disabling import DisablingPage
from pwless_middleware.features.dashboard.people.export import ExportRoute
from pwless_middleware.features.dashboard.people.invitation import InvitationPage
from pwless_middleware.features.dashboard.people.list_page import ListPage
from pwless_middleware.features.dashboard.people.person_page import PersonPage
from pwless_middleware.features.dashboard.people.profile import ProfilePage
from pwless_middleware.features.dashboard.people.sessions import SessionActions
from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.web.kit import Kit, Mounted


class PeopleSection:
    """Mount the section.

    Args:
        kit: everything below.
        options: of the dashboard.
    """

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        self._kit = kit

    def mount(self) -> Mounted:
        """Return its routes, and its page in the navigation."""
        kit, people = self._kit, self._kit.people
        if people is None:  # there is no database, without which there is no dashboard either
            return Mounted()
        listed = ListPage(kit, people)
        own = (
            *(DisablingPage(kit, people), ProfilePage(kit, people)),
            InvitationPage(kit, people),
        )
        pages = (
            *(listed, PersonPage(kit), SessionActions(kit, people)),
            *(ExportRoute(kit, people), DeletionPage(kit, people)),
            *(own if kit.users.keeps_people else ()),
        )
        return Mounted(
            routes=tuple(route for page in pages for route in page.routes),
            dashboard_pages=(listed.dashboard_page,),
        )

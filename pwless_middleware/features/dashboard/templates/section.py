"""The section of templates, put together."""

from __future__ import annotations

from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.features.dashboard.templates.chosen import PATH, Chosen
from pwless_middleware.features.dashboard.templates.edit_page import EditPage
from pwless_middleware.features.dashboard.templates.findings import TemplateFindings
from pwless_middleware.features.dashboard.templates.list_page import ListPage
from pwless_middleware.features.dashboard.templates.show_pages import ShowPages
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.offers import DashboardPage


class TemplatesSection:
    """Show templates, and let admins edit them.

    Args:
        kit: everything below.
        options: the dashboard's.
    """

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        chosen = Chosen(kit)
        self._findings = TemplateFindings(chosen)
        self._pages = (ListPage(kit, chosen), ShowPages(kit, chosen), EditPage(kit, chosen))

    def mount(self) -> Mounted:
        """Return the pages, and their place in the navigation."""
        page = DashboardPage(
            title=Text("Templates"),
            path=PATH,
            order=510,
            group=Text("Configure"),
            icon="templates",
            key="t",
        )
        routes = tuple(route for one in self._pages for route in one.routes)
        return Mounted(routes=routes, dashboard_pages=(page,), findings=(self._findings.find,))

"""What people do with an account that the database keeps: take it along, delete it, ask by JSON."""

from __future__ import annotations

from pwless_middleware.features.account.account_api import AccountApi
from pwless_middleware.features.account.delete_page import DeletePage
from pwless_middleware.features.account.export_page import ExportPage
from pwless_middleware.flows.capabilities.topics import ReadJob
from pwless_middleware.flows.people.account_deletion import TOPIC, AccountDeletion
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.flows.people.people import People
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.routing.routes import Route


class OwnAccount:
    """Put together what is mounted of it.

    Args:
        kit: everything below.
        people: those of the database.

    Attributes:
        routes: of the pages and of the account resource.
        jobs: topic to who reads its jobs.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        host = kit.origin.host.partition(":")[0]
        deletion = AccountDeletion(
            people,
            kit.store,
            kit.jobs,
            Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock),
            clock=kit.clock,
            wake_delivery=kit.wake_delivery,
        )
        self.routes: tuple[Route, ...] = (
            *ExportPage(kit, people).routes,
            *DeletePage(kit, deletion).routes,
            *AccountApi(kit, people, deletion).routes,
        )
        self.jobs: dict[str, ReadJob] = {TOPIC: deletion.read}

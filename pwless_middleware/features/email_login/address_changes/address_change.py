"""The change of address, as the email login mounts it: where there is a place to keep it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.user import User
from pwless_middleware.database.people.address_requests import AddressRequestRepository
from pwless_middleware.errors import LoginDenied
from pwless_middleware.features.email_login.address_changes.api import AddressApi
from pwless_middleware.features.email_login.address_changes.confirm_page import (
    CONFIRM_PATH,
    ConfirmAddressPage,
)
from pwless_middleware.features.email_login.address_changes.movers import may_move
from pwless_middleware.features.email_login.address_changes.pages import UNDO_PATH, AddressPages
from pwless_middleware.features.email_login.address_changes.request_api import AddressRequestApi
from pwless_middleware.features.email_login.address_changes.requested_address import (
    RequestedAddress,
)
from pwless_middleware.features.email_login.flow import EmailFlow
from pwless_middleware.features.email_login.python import EmailVerbs
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenge_verifier import ChallengeVerifier
from pwless_middleware.flows.challenges.challenges import Challenges
from pwless_middleware.flows.challenges.fixed_codes import FixedCodes
from pwless_middleware.flows.people.address_change_jobs import AddressChangeJobs
from pwless_middleware.flows.people.address_changes import AddressChanges
from pwless_middleware.flows.people.address_requests import AddressRequests
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.web.kit import Kit, Mounted


class AddressChangePart:
    """Add the change of address to what the email login mounts.

    Args:
        kit: everything below.
        changes: changes addresses.
        jobs: reads the jobs of it.
        requests: keeps what somebody else has asked for.
        notices: make the mails.
    """

    def __init__(
        self,
        kit: Kit,
        changes: AddressChanges,
        jobs: AddressChangeJobs,
        requests: AddressRequestRepository,
        notices: Notices,
    ) -> None:
        self._requests = requests
        self._kit = kit
        self._changes = changes
        self._jobs = jobs
        self._notices = notices

    async def is_taken(self, address: Address, user_id: str) -> bool:
        """Whether an address is somebody else's, or was until lately."""
        return await self._changes.is_taken(address, user_id)

    def add_to(
        self,
        mounted: Mounted[EmailVerbs],
        flow: EmailFlow,
        challenges: Challenges,
        rules: CurrentRules,
    ) -> Mounted[EmailVerbs]:
        """Return what is mounted, with pages, JSON, jobs, and the rule about old addresses."""
        kit, changes = self._kit, self._changes
        pages = AddressPages(kit, flow, challenges, changes, rules)
        api = AddressApi(kit, flow, changes, rules)
        requests = self._make_requests(rules)
        asked = RequestedAddress(kit, requests)
        refuses = (refuse_old_address,) if kit.users.keeps_people else ()
        return replace(
            mounted,
            routes=(
                *(*mounted.routes, *pages.routes, *api.routes),
                *(*asked.routes, *AddressRequestApi(kit, requests).routes),
                *ConfirmAddressPage(kit, requests).routes,
            ),
            account_pages=(*mounted.account_pages, pages.account_page),
            person_parts=(*mounted.person_parts, asked.part),
            on_session=(*mounted.on_session, *refuses),
            jobs={**mounted.jobs, **self._jobs.readers, **requests.readers},
            verbs=(mounted.verbs or EmailVerbs(kit, flow)).with_requests(requests),
        )

    def _make_requests(self, rules: CurrentRules) -> AddressRequests:
        kit = self._kit
        return AddressRequests(
            self._changes,
            self._requests,
            kit.store,
            kit.secrets,
            kit.records("address_requests"),
            kit.jobs,
            self._notices,
            serves=lambda address: rules().serves(address),
            may_move=partial(may_move, kit.operators, kit.users),
            confirm_page=f"{kit.origin.url}{kit.prefix}{CONFIRM_PATH}",
            wake_delivery=kit.wake_delivery,
            clock=kit.clock,
            events=kit.events,
        )


def make_address_change(
    kit: Kit, challenges: Challenges, verifier: ChallengeVerifier, fixed: FixedCodes | None
) -> AddressChangePart | None:
    """Return the change of address, or `None` where nothing can change one.

    It needs the database, for what undoes a change; and a table that changes: that of the database
    itself, or the host's, if it has a method `change_email`.
    """
    repositories, users = kit.repositories, kit.users
    if repositories is None or not (users.keeps_people or users.can_change_email):
        return None
    repository, in_table = repositories.address_changes, not users.keeps_people
    changes = AddressChanges(
        challenges,
        verifier,
        kit.store,
        kit.logins,
        users,
        kit.sessions,
        kit.signals,
        repository,
        kit.secrets,
        kit.records("address_changes"),
        kit.jobs,
        fixed=fixed,
        on_undone=lambda: kit.offers.on_address_undone,
        in_table=in_table,
        clock=kit.clock,
        events=kit.events,
    )
    host = kit.origin.host.partition(":")[0]
    notices = Notices(kit.renderer, kit.languages, kit.mailer, host=host, clock=kit.clock)
    jobs = AddressChangeJobs(
        repository,
        users,
        kit.sessions,
        kit.secrets,
        notices,
        on_undone=lambda: kit.offers.on_address_undone,
        in_table=in_table,
        undo_page=f"{kit.origin.url}{kit.prefix}{UNDO_PATH}",
        clock=kit.clock,
    )
    return AddressChangePart(kit, changes, jobs, repositories.address_requests, notices)


async def refuse_old_address(session: Session, user: User) -> None:
    """Refuse a session under an address that its person no longer has.

    Of who had it, and has a session from that time, every one ends as the address is changed; this
    is for those that begin in the same moment, and for a process that dies before it has ended them
    all. Only where the database keeps the people: a host's table may change for its own reasons.

    Raises:
        LoginDenied: it is under another address than the person's.
    """
    if session.email != parse_address(user.email):
        raise LoginDenied

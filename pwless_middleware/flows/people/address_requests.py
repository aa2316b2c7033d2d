"""Changes of address that an operator or a server asks for: confirmed from the new address.

    ask ──▶ email to the new address ──▶ confirmed there ──▶ changed ──72 h──▶ for good
     │                                                          │
     └──▶ withdrawn, or over after 72 h                         └──▶ undone, by the old address

For somebody who reads the old mailbox no more. Whoever asks cannot give the account to a mailbox
that nobody reads, nor to one of their own without its trace: the old address is told of the change,
with the link that undoes it (`flows.people.address_changes`), and second factors stay where they
are. What is confirmed signs nobody in, and signs everybody out.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pwless_middleware.core.addresses.address import Address, parse_address
from pwless_middleware.core.addresses.address_change import CHANGE_ID_BYTES, AddressChange
from pwless_middleware.core.addresses.address_request import AddressRequest
from pwless_middleware.core.keys.keyring import new_operation
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.user import User
from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
from pwless_middleware.errors import InvalidArgument, RateLimited, RequestExpired
from pwless_middleware.flows.capabilities.feature_jobs import FeatureJobs
from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
from pwless_middleware.flows.capabilities.records import Records
from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.people.address_changes import AddressChanges
from pwless_middleware.flows.people.change_jobs import wait_for_change
from pwless_middleware.flows.people.notices import Notices
from pwless_middleware.languages.current import current_language
from pwless_middleware.stores.base import Store
from pwless_middleware.text import Text, duration_text

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.people.address_requests import AddressRequestRepository

TOPIC: Final = "address_requested"
"""Topic of the jobs, and name of their mail."""
CONFIRM_PURPOSE: Final = "address_confirm"
"""What the handle in the mail to the new address is sealed for."""
AGAIN_AFTER: Final = 60
"""Seconds between two requests for one person: each is an email to a stranger, perhaps."""
_ID_BYTES: Final = 16  # 128 random bits; the handle in the mail has a MAC of as many


class AddressRequests:
    """Ask for changes of address, and make them once they are confirmed.

    Args:
        changes: makes them.
        repository: keeps what was asked for.
        store: queues the jobs.
        secrets, records, jobs: of the feature.
        notices: make the mail.
        serves: whether emails go to an address, so that its owner could sign in.
        may_move: whether who has asked may do that now, to who this person is by now.
        confirm_page: absolute URL of the page that confirms.
        wake_delivery: has what is queued delivered.
        clock: gives unix seconds.
        events: records what happens.
    """

    def __init__(
        self,
        changes: AddressChanges,
        repository: AddressRequestRepository,
        store: Store,
        secrets: FeatureSecrets,
        records: Records,
        jobs: FeatureJobs,
        notices: Notices,
        *,
        serves: Callable[[Address], Awaitable[bool]],
        may_move: Callable[[AddressRequest], Awaitable[bool]],
        confirm_page: str,
        wake_delivery: Callable[[], Awaitable[None]],
        clock: Callable[[], int],
        events: Events,
    ) -> None:
        self._changes = changes
        self._repository = repository
        self._store = store
        self._wake_delivery = wake_delivery
        self._secrets = secrets
        self._records = records
        self._jobs = jobs
        self._notices = notices
        self._serves = serves
        self._may_move = may_move
        self._confirm_page = confirm_page
        self._clock = clock
        self._events = events

    @property
    def readers(self) -> dict[str, ReadJob]:
        """Who reads the jobs, by their topics."""
        return {TOPIC: self.read}

    async def ask(self, user: User, email: str, *, by: str) -> AddressRequest:
        """Mail a link to a new address, which confirms that it is this person's from then on.

        What was asked for before, and is not confirmed, is void.

        Args:
            user: whose address it is to be.
            email: as typed.
            by: who asks.

        Raises:
            InvalidArgument: it is no address, theirs already, somebody else's, or not served; or
                either is a test address; or nobody can sign in as this person, or they are an
                operator whom `by` may not move.
            RateLimited: it was asked for just now.
            StoreError, Unavailable: database, store or queue cannot take it; it can be asked again.
        """
        old, new = parse_address(user.email), parse_address(email)
        if new is None or old is None:
            raise InvalidArgument.of("email", _NO_ADDRESS, "email")
        if new == old:
            raise InvalidArgument.of("email", _SAME, "changed")
        for address in (old, new):  # nobody leaves one, and no email goes to one
            await self._changes.check_fixed(address)
        if not await self._changes.may_change(user.id):
            raise InvalidArgument.of("email", _DISABLED, "disabled")
        if await self._changes.is_taken(new, user.id):
            raise InvalidArgument.of("email", _TAKEN, "taken")
        if not await self._serves(new):
            raise InvalidArgument.of("email", _NOT_SERVED, "allow")
        request = AddressRequest(
            id=secrets.token_bytes(_ID_BYTES),
            user_id=user.id,
            old=old,
            new=new,
            by=by,
            asked_at=self._clock(),
            language=user.language or current_language().code,
        )
        if not await self._may_move(request):
            raise InvalidArgument.of("email", _OPERATOR, "operator")
        if not await self._records.add(user.id, ttl=AGAIN_AFTER):
            wait = duration_text(AGAIN_AFTER)
            text = Text("It was asked for just now. Wait %(wait)s.", wait=wait)
            raise RateLimited(AGAIN_AFTER, text)
        audit = self._events.make("person.address_requested", user_id=user.id, address=new, by=by)
        # The job comes first, so that nothing is asked for in silence; it waits for the row.
        queued = self._jobs.writes(TOPIC, request.id)
        await self._store.write(queued, now=request.asked_at, op=new_operation())
        await self._repository.put(request, audit=audit)
        self._events.publish(audit)
        await self._wake_delivery()
        return request

    async def find_open(self, user_id: str) -> AddressRequest | None:
        """Return the request of a person that waits, or `None`.

        Raises:
            StoreError: the database cannot be asked.
        """
        request = await self._repository.find_of(user_id)
        return request if request is not None and request.is_open(self._clock()) else None

    async def withdraw(self, user_id: str, *, by: str) -> bool:
        """Have a request come to nothing; false where there is none that waits.

        Args:
            user_id: whose.
            by: who takes it back.

        Raises:
            StoreError: the database cannot be asked.
        """
        request = await self.find_open(user_id)
        if request is None:
            return False
        audit = self._events.make("person.address_withdrawn", user_id=user_id, by=by)
        if not await self._repository.take(request.id, audit=audit):
            return False
        self._events.publish(audit)
        return True

    async def find(self, handle: str) -> AddressRequest | None:
        """Return the request that a handle confirms, or `None` if there is nothing to confirm.

        Raises:
            StoreError: the database cannot be asked.
        """
        id = self._secrets.open(CONFIRM_PURPOSE, handle)
        request = await self._repository.find(id) if id is not None else None
        return request if request is not None and request.is_open(self._clock()) else None

    async def confirm(self, handle: str, caller: Caller) -> AddressRequest:
        """Change the address, once, and sign the person out everywhere.

        Args:
            handle: of the link that the new address was sent.
            caller: who presses the button, signed in or not.

        Raises:
            RequestExpired: it is none of ours, too late, withdrawn or used; or the old address is
                not the person's any more, or they are disabled or gone; or who has asked for it
                may not do so any more.
            InvalidArgument: the address has become somebody else's meanwhile.
            StoreError, Unavailable: database or store cannot be asked. Nothing is changed where
                that was before; else the address is, and a job ends the sessions.
        """
        request = await self.find(handle)
        if request is None or not await self._may_move(request):
            raise RequestExpired
        if await self._changes.is_taken(request.new, request.user_id):
            raise InvalidArgument.of("link_token", _TAKEN, "taken")
        if not await self._repository.take(request.id):
            raise RequestExpired
        change = AddressChange(
            id=secrets.token_bytes(CHANGE_ID_BYTES),
            user_id=request.user_id,
            old=request.old,
            new=request.new,
            changed_at=self._clock(),
            device=caller.device,
            language=request.language,
        )
        await self._changes.make(change, caller, by=request.by)
        return request

    async def read(self, job: QueuedJob) -> Outcome | Delivery:
        """Tell the new address what to confirm, if it still waits."""
        request = await self._repository.find(job.body)
        if request is None:
            return wait_for_change(job, now=self._clock())
        if not request.is_open(self._clock()):
            return Outcome.EXPIRED
        handle = self._secrets.seal(CONFIRM_PURPOSE, request.id)
        return self._notices.deliver(
            TOPIC,
            request.new,
            at=request.asked_at,
            language=request.language,
            link=f"{self._confirm_page}?{urlencode({'link_token': handle})}",
            until=request.confirm_until,
        )


_NO_ADDRESS: Final = Text("Enter one email address, like jo@example.com.")
_DISABLED: Final = Text("Nobody can sign in as this person. Enable them first.")
_OPERATOR: Final = Text(
    "This is about an operator. Only one who may do as much asks for that, on the dashboard."
)
_SAME: Final = Text("This is their address already.")
_TAKEN: Final = Text("This address belongs to another account by now.")
_NOT_SERVED: Final = Text("Nobody can sign in with this address: it is not on the list of those.")

"""Personal data: whatever is kept about one person, of each kind, to be exported and erased.

Each keeper of rows with a user's id in them is one `PersonalData`. `flows.people.people.People`
goes through all of them, so that an export is complete, and a deletion leaves nothing that names
the person (security rule 70).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from pwless_middleware.core.addresses.address import Address
from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.errors import LoginDenied
from pwless_middleware.flows.events.event_history import EventHistory
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.sessions.sessions_view import SessionsView

if TYPE_CHECKING:  # who has no database need not wait for its SQL
    from pwless_middleware.database.events.event_counters import EventCounterRepository
    from pwless_middleware.database.factors.passkeys import PasskeyRepository
    from pwless_middleware.database.people.address_changes import AddressChangeRepository
    from pwless_middleware.database.people.address_requests import AddressRequestRepository

Record = Mapping[str, object]
"""One thing that is kept, ready for JSON."""


class PersonalData(Protocol):
    """What one keeper has about people."""

    def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through everything about a person.

        Args:
            user_id: the person's id.
            addresses: the person's, for what names no id.

        Raises:
            StoreError: it cannot be read now.
        """
        ...

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Leave nothing that names a person; doing it again does no harm.

        The arguments are those of `export`.

        Raises:
            StoreError: it cannot be written now; something may be left.
        """
        ...


class SessionData:
    """The sessions of a person.

    Args:
        sessions: finds and ends them.
    """

    def __init__(self, sessions: SessionsView) -> None:
        self._sessions = sessions

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through the sessions that live."""
        for session in await self._sessions.list(user_id):
            yield {
                "id": session.id,
                "email": session.email,
                "created_at": session.created_at,
                "authenticated_at": session.authenticated_at,
                "seen_at": session.seen_at,
                "expires_at": session.expires_at,
                "methods": list(session.methods),
                "device": session.device,
                "organization": session.organization,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """End all sessions."""
        await self._sessions.revoke_all(user_id)


class AddressChangeData:
    """The lately changed addresses of a person.

    Args:
        changes: keeps them.
    """

    def __init__(self, changes: AddressChangeRepository) -> None:
        self._changes = changes

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through the changes, the oldest first."""
        for change in await self._changes.list(user_id):
            yield {
                "old": change.old,
                "new": change.new,
                "changed_at": change.changed_at,
                "device": change.device,
                "undone_at": change.undone_at,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them; nothing can be undone any more, and no address is reserved."""
        await self._changes.erase(user_id)


class AddressRequestData:
    """The change of address of a person that waits to be confirmed.

    Args:
        requests: keeps them.
    """

    def __init__(self, requests: AddressRequestRepository) -> None:
        self._requests = requests

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Return the one that there is, if any."""
        request = await self._requests.find_of(user_id)
        if request is not None:
            yield {"old": request.old, "new": request.new, "asked_at": request.asked_at}

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget it; its link confirms nothing any more."""
        await self._requests.erase(user_id)


class PasskeyData:
    """The passkeys of a person; what is exported opens nothing.

    Args:
        passkeys: keeps them.
    """

    def __init__(self, passkeys: PasskeyRepository) -> None:
        self._passkeys = passkeys

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through the passkeys, the oldest first."""
        passkeys = await self._passkeys.list(user_id)
        handle = await self._passkeys.handle_of(user_id)
        if handle is not None and not passkeys:  # all were removed
            yield {"user_handle": b64(handle)}
        for passkey in passkeys:
            yield {
                "user_handle": b64(passkey.user_handle),
                "id": passkey.public_id,
                "name": passkey.name,
                "created_at": passkey.created_at,
                "used_at": passkey.used_at,
                "is_synced": passkey.is_synced,
                "is_backed_up": passkey.is_backed_up,
                "aaguid": passkey.aaguid,
                "transports": list(passkey.transports),
                "rp_id": passkey.rp_id,
            }

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them, and by which handle authenticators know the person."""
        await self._passkeys.erase(user_id)


class ActivityData:
    """In which days, weeks and months a person is counted as active, as long as that is known.

    Args:
        counters: count them.
    """

    def __init__(self, counters: EventCounterRepository) -> None:
        self._counters = counters

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through them, in order."""
        for span, start in await self._counters.list_active(user_id):
            yield {"span": span, "start": start}

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Forget them; how many people there were stays."""
        await self._counters.erase(user_id)


class EventData:
    """The events that the database has about a person.

    What strangers did with an address names no user. So the person's earlier addresses count too,
    as far as their events tell of them and nobody else has them now.

    Args:
        history: finds them.
        users: say whose an address is now.
    """

    def __init__(self, history: EventHistory, users: Users) -> None:
        self._history = history
        self._users = users

    async def export(self, user_id: str, addresses: Sequence[str]) -> AsyncIterator[Record]:
        """Go through the events, the oldest first."""
        addresses = await self._with_earlier(user_id, addresses)
        async for stored in self._history.export(user_id, addresses):
            yield stored.to_dict()

    async def erase(self, user_id: str, addresses: Sequence[str]) -> None:
        """Take the person out of the events; what happened stays."""
        await self._history.erase(user_id, await self._with_earlier(user_id, addresses))

    async def _with_earlier(self, user_id: str, addresses: Sequence[str]) -> Sequence[str]:
        told = {stored.email async for stored in self._history.export(user_id)}
        earlier = sorted(email for email in told if email is not None and email not in addresses)
        return (*addresses, *[email for email in earlier if await self._is_free(email, user_id)])

    async def _is_free(self, email: str, user_id: str) -> bool:
        try:
            user = await self._users.find(Address(email))
        except LoginDenied:  # somebody's who is disabled, or the host's table is not sure
            return False
        return user is None or user.id == user_id

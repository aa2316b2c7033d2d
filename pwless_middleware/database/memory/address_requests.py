"""Changes of address that wait to be confirmed, in memory, for tests."""

from __future__ import annotations

from dataclasses import replace

from pwless_middleware.core.addresses.address_request import AddressRequest
from pwless_middleware.core.events.event import Event
from pwless_middleware.database.events.events import new_stand_in
from pwless_middleware.database.memory.events import MemoryEvents


class MemoryAddressRequests:
    """Keep requests (`database.people.address_requests.AddressRequestRepository`).

    Args:
        events: takes the events of changes.
    """

    def __init__(self, events: MemoryEvents) -> None:
        self._events = events
        self._requests: dict[str, AddressRequest] = {}

    async def put(self, request: AddressRequest, *, audit: Event | None = None) -> None:
        """Keep a request in the place of whatever the person had."""
        now = request.asked_at
        self._requests = {id: one for id, one in self._requests.items() if one.is_open(now)}
        self._requests[request.user_id] = request
        self._tell(audit)

    async def find(self, id: bytes) -> AddressRequest | None:
        """Return a request, or `None`."""
        return next((one for one in self._requests.values() if one.id == id), None)

    async def find_of(self, user_id: str) -> AddressRequest | None:
        """Return the request of a person, or `None`."""
        return self._requests.get(user_id)

    async def take(self, id: bytes, *, audit: Event | None = None) -> bool:
        """Forget a request; of several who do, one is told that it was there."""
        request = await self.find(id)
        if request is None:
            return False
        del self._requests[request.user_id]
        self._tell(audit)
        return True

    async def erase(self, user_id: str) -> None:
        """Forget the request of a person, and that they have asked for those of others."""
        self._requests.pop(user_id, None)
        by, stand_in = f"operator:{user_id}", f"operator:{new_stand_in()}"
        for id, one in self._requests.items():
            if one.by == by:
                self._requests[id] = replace(one, by=stand_in)

    def _tell(self, audit: Event | None) -> None:
        if audit is not None:
            self._events.insert(audit)

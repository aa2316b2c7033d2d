"""Make events of what was recorded: digests and ids, behind the path of the request."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from typing import Final

from pwless_middleware.core.events.event import Event, EventFields, EventKind
from pwless_middleware.core.events.event_id import SERIALS, format_event_id
from pwless_middleware.core.keys.keyring import Keyring
from pwless_middleware.core.logins.client import Client

Recorded = tuple[int, int, EventKind, str, Client | None, str, EventFields]
"""When, its count, which, the caller's name, client and device, and the other fields."""

CountryOf = Callable[[str], str | None]
"""Returns the country of a client's network, ISO 3166-1, or `None` where it is not known."""

_KEPT_DIGESTS: Final = 256
"""The events of one login name the same client, address and attempt, some eight times."""


class EventMaker:
    """Make events, with ids from a random start in each process.

    A server may make the app before it forks: the children would else give the same ids.

    Args:
        keyring: makes the digests; `None` leaves them out.
    """

    def __init__(self, keyring: Keyring | None) -> None:
        self._keyring = keyring
        self._process = -1
        self._start = 0
        self._digests: dict[str, str] = {}  # of what was named last
        self._country_of: CountryOf | None = None
        self._countries: dict[str, str | None] = {}  # of who came last

    def locate(self, country_of: CountryOf) -> None:
        """Have each event of a client say in which country it is, from now on."""
        self._country_of = country_of

    def event(self, recorded: Recorded | Event) -> Event:
        """Return the event, the same one however often it is asked for."""
        if isinstance(recorded, Event):
            return recorded
        at, number, kind, name, client, device, given = recorded
        attempt, address = given.get("attempt"), given.get("address")
        return Event(
            at=at,
            kind=kind.name,
            id=self._id(at, number),
            attempt=self.attempt_digest(attempt) if attempt else None,
            user_id=given.get("user_id"),
            organization=given.get("organization"),
            address=self._digest(address) if address is not None else None,
            by=given.get("by"),
            caller=name if name and "caller" in kind.fields else None,
            client=self._digest(client.network) if client is not None else None,
            device=device or None,
            country=self._country(client.network) if client is not None else None,
            method=given.get("method"),
            methods=given.get("methods"),
            session=given.get("session"),
            reason=given.get("reason"),
            wait=given.get("wait"),
            tries=given.get("tries"),
            tries_left=given.get("tries_left"),
            details=given.get("details"),
        )

    def digests_of(self, address: str) -> tuple[str, ...]:
        """Return what an address may stand as in an event: one digest for each secret key."""
        return () if self._keyring is None else self._keyring.log_names(address)

    def attempt_digest(self, attempt: bytes) -> str | None:
        """Return what an attempt stands as in an event."""
        return self._digest(f"attempt {attempt.hex()}")

    def _id(self, at: int, number: int) -> str:
        if self._process != os.getpid():
            self._process, self._start = os.getpid(), secrets.randbelow(SERIALS)
        return format_event_id(at, self._start + number)

    def _country(self, network: str) -> str | None:
        if self._country_of is None:
            return None
        if network not in self._countries:
            if len(self._countries) >= _KEPT_DIGESTS:
                self._countries.clear()
            self._countries[network] = self._country_of(network)
        return self._countries[network]

    def _digest(self, text: str) -> str | None:
        if self._keyring is None:
            return None
        found = self._digests.get(text)
        if found is None:
            if len(self._digests) >= _KEPT_DIGESTS:
                self._digests.clear()
            found = self._digests[text] = self._keyring.log_name(text)
        return found

"""Identities: found at a login, linked once, and forgotten (security rule 50)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.organizations.connection import Identity
from pwless_middleware.errors import LoginDenied, NotFound
from pwless_middleware.flows.events.events import Events
from pwless_middleware.flows.organizations.checks import check_by
from pwless_middleware.text import Text

if TYPE_CHECKING:
    from pwless_middleware.database.people.identities import IdentityRepository

_NONE: Final = Text("There is no such identity.")


class Identities:
    """Find and change identities.

    Args:
        repository: keeps them.
        events: records changes.
        clock: returns unix seconds.
    """

    def __init__(
        self, repository: IdentityRepository, events: Events, clock: Callable[[], int]
    ) -> None:
        self._identities = repository
        self._events = events
        self._clock = clock

    async def find(self, connection: str, subject: str) -> Identity | None:
        """Return the identity of a subject at a connection, or `None`.

        Args:
            connection: its id, or the name of a provider that is configured in code.
            subject: as the provider has it.

        Raises:
            StoreError: the database cannot be asked.
        """
        if "\x00" in subject:  # no database takes it
            return None
        return await self._identities.find(connection, subject)

    async def of_user(self, user_id: str) -> Sequence[Identity]:
        """Return all identities of a user.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._identities.list(user_id)

    async def list_of(
        self, connection: str, *, after: str = "", limit: int = 100
    ) -> Sequence[Identity]:
        """Return the identities at a connection, by subject.

        Args:
            connection: as for `find`.
            after: the subject of the last one of the page before; empty begins.
            limit: how many at most.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._identities.list_of(connection, after=after, limit=limit)

    async def add(self, identity: Identity) -> bool:
        """Keep a new identity; false where it leads to a user already, perhaps since just now.

        Raises:
            LoginDenied: nobody can sign in as this user, who may be about to be deleted.
            StoreError: the database cannot be asked.
        """
        added = await self._identities.add(identity)
        if added == "disabled":
            raise LoginDenied
        return added == "added"

    async def note_seen(self, identity: Identity, *, email: str = "") -> None:
        """Note that somebody signed in by an identity now.

        Args:
            identity: which.
            email: the address that the provider said; empty for none.

        Raises:
            StoreError: the database cannot be asked.
        """
        at = self._clock()
        await self._identities.note_seen(identity.connection, identity.subject, email=email, at=at)

    async def remove(
        self, identity: Identity, *, organization: str | None = None, by: str = "python"
    ) -> None:
        """Forget an identity: its subject is somebody new with the next login.

        Args:
            identity: which.
            organization: the connection's; `None` for a provider that is configured in code.
            by: who does it.

        Raises:
            NotFound: there is none any more.
            StoreError: the database cannot be asked.
        """
        audit = self._events.make(
            "identity.removed",
            by=check_by(by),
            organization=organization,
            user_id=identity.user_id,
            details={"connection": identity.connection},
        )
        if not await self._identities.remove(identity.connection, identity.subject, audit=audit):
            raise NotFound(_NONE)
        self._events.publish(audit)

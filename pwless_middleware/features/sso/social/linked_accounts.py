"""A person's accounts at providers: shown to them, and unlinked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.organizations.connection import SOCIAL_METHOD, Identity
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.features.sso.social.mails import id_of
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.people.identities import IdentityRepository

_LAST: Final = Text("Nothing else lets you in: this account has to stay.")


class LinkedAccounts:
    """Find and unlink accounts at the providers that are configured in code.

    Args:
        kit: everything below.
        identities: keep them.
        providers: the ids of the providers.
    """

    def __init__(
        self, kit: Kit, identities: IdentityRepository, providers: Collection[str]
    ) -> None:
        self._kit = kit
        self._identities = identities
        self._providers = frozenset(providers)

    async def list(self, user_id: str) -> Sequence[Identity]:
        """Return a person's, by provider."""
        found = await self._identities.list(user_id)
        return [one for one in found if one.connection in self._providers]

    async def lets_in(self, user_id: str) -> bool:
        """Whether a person has an account to sign in with."""
        return bool(await self.list(user_id))

    async def is_last_way(self, user_id: str, linked: Sequence[Identity]) -> bool:
        """Whether the one that is left has to stay: nothing else lets this person in.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        return len(linked) == 1 and await self._kit.offers.is_only_way(user_id, SOCIAL_METHOD)

    async def unlink(self, user_id: str, id: str, *, session: Session) -> None:
        """Unlink one. Sessions that it alone had proven end, but the one in which this is asked.

        Args:
            user_id: whose.
            id: which (`id_of`).
            session: in which the person does it.

        Raises:
            NotFound: the person has no such account.
            InvalidArgument: nothing else lets the person in.
            Unavailable: it cannot be done now.
        """
        async with self._kit.change_lock.hold(user_id):
            await self._unlink(user_id, id, session=session)

    async def _unlink(self, user_id: str, id: str, *, session: Session) -> None:
        linked = await self.list(user_id)
        wanted = next((one for one in linked if id_of(one) == id), None)
        if wanted is None:
            raise NotFound
        if await self.is_last_way(user_id, linked):
            raise InvalidArgument.of("id", _LAST, "last")
        is_last = len(linked) == 1
        # Before, so that nothing is unlinked while the store cannot be written; and after.
        await self._kit.sessions.withdraw(user_id, SOCIAL_METHOD, but=session, is_last=is_last)
        await self._remove(wanted, by="person")
        await self._kit.sessions.withdraw(user_id, SOCIAL_METHOD, but=session, is_last=is_last)

    async def remove_since(self, user_id: str, at: int) -> None:
        """Unlink what was linked since a change of address that was undone (`on_address_undone`).

        Whoever took the address over could come back by it.
        """
        for one in await self.list(user_id):
            if one.created_at >= at:
                await self._remove(one, by="person")

    async def _remove(self, identity: Identity, *, by: str) -> None:
        audit = self._kit.events.make(
            "identity.removed",
            by=by,
            user_id=identity.user_id,
            details={"connection": identity.connection},
        )
        if await self._identities.remove(identity.connection, identity.subject, audit=audit):
            self._kit.events.publish(audit)

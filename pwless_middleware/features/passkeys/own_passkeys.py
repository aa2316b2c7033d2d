"""A person's own passkeys: list, rename, remove. `new_passkeys` has how they are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from pwless_middleware.core.events.event import Event
from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.core.logins.authentication import Strength
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.given_name import read_name
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.features.passkeys.ceremonies.answers import METHOD
from pwless_middleware.features.passkeys.mails import PasskeyMails
from pwless_middleware.features.passkeys.settings import PasskeyRules
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.passkeys import PasskeyRepository

FRESH_WITHIN: Final = 300
"""Seconds since the proof that adding and removing ask for (security rule 34)."""


class OwnPasskeys:
    """Do what a person does with their passkeys, by whichever interface.

    Args:
        kit: everything below.
        passkeys: keeps them.
        party: ours.
        rules: how passkeys behave now.
        mails: tell the person.
    """

    def __init__(
        self,
        kit: Kit,
        passkeys: PasskeyRepository,
        party: RelyingParty,
        rules: LiveSettings[PasskeyRules],
        mails: PasskeyMails,
    ) -> None:
        self._kit = kit
        self._party = party
        self._rules = rules
        self._passkeys = passkeys
        self._mails = mails

    async def require(self, request: Request, *, back: str | None = None) -> Account:
        """Return who is signed in, and may add and remove passkeys.

        That takes a fresh proof by the strongest that they have: a passkey, else another second
        factor. A session that began by a mail could add a passkey otherwise (security rule 34).

        Args:
            request: to a route of ours.
            back: as of `Accounts.require`.

        Raises:
            Unauthenticated, StepUpRequired, Unavailable: as of `Accounts.require`.
        """
        account = await self._kit.accounts.require(request, back=back)
        return await self._kit.accounts.require(
            request,
            fresh_within=FRESH_WITHIN,
            strength=await self._kit.offers.strength_of(account.user.id),
            back=back,
        )

    async def has_unproven(self, user_id: str, strength: Strength) -> bool:
        """Whether a person has a second factor other than passkeys, and has not proven any.

        Args:
            user_id: whose.
            strength: what their login or session is worth.
        """
        if strength != "any":
            return False
        return await self._kit.offers.strength_of(user_id, but=METHOD) != "any"

    async def list(self, user_id: str) -> Sequence[Passkey]:
        """Return a person's passkeys, oldest first."""
        return await self._passkeys.list(user_id)

    async def usable(self, user_id: str) -> Sequence[Passkey]:
        """Return those with which a person can sign in here, oldest first.

        One that was made for another RP id lets nobody in, and stands for nothing.
        """
        return self.select_usable(await self.list(user_id))

    def select_usable(self, passkeys: Sequence[Passkey]) -> Sequence[Passkey]:
        """Return those of a person's passkeys that are for our RP id."""
        return [passkey for passkey in passkeys if passkey.rp_id == self._party.id]

    async def user_handle(self, user_id: str) -> bytes | None:
        """Return by what authenticators know a person; `None` for who never had a passkey."""
        return await self._passkeys.handle_of(user_id)

    # --- change them ---------------------------------------------------------------------------

    async def rename(
        self,
        user_id: str,
        id: bytes,
        name: str,
        *,
        caller: Caller | None = None,
        by: str = "person",
    ) -> None:
        """Give a passkey another name.

        Args:
            user_id: whose it is.
            id: which.
            name: what the person calls it; 1 to 60 characters.
            caller: who asks, for the event.
            by: who changes it, for the event.

        Raises:
            InvalidArgument: it is no name.
            NotFound: the person has no such passkey.
        """
        name = read_name(name)
        if not name:
            raise InvalidArgument.of("name", Text("This field is required."), "required")
        audit = self._kit.events.make("passkey.renamed", caller, user_id=user_id, by=by)
        if not await self._passkeys.rename(user_id, id, name, audit=audit):
            raise NotFound
        self._kit.events.publish(audit)

    async def remove(
        self,
        user_id: str,
        id: bytes,
        *,
        session: Session | None = None,
        caller: Caller | None = None,
        by: str = "person",
    ) -> None:
        """Remove a passkey, and tell the person. What it had proven counts no more.

        Args:
            user_id: whose it is.
            id: which.
            session: in which the person removes it, and which goes on; `None` for none.
            caller: who asks, for the event.
            by: who removes it, for the event.

        Raises:
            InvalidArgument: nothing else lets the person in.
            NotFound: the person has no such passkey.
            RateLimited: as of `ChangeBudget.spend`.
            Unavailable: database or queue cannot take it.
        """
        async with self._kit.change_lock.hold(user_id):
            await self._remove(user_id, id, session=session, caller=caller, by=by)
        await self._kit.wake_delivery()

    async def _remove(
        self, user_id: str, id: bytes, *, session: Session | None, caller: Caller | None, by: str
    ) -> None:
        kept = await self.list(user_id)
        passkey = next((one for one in kept if one.id == id), None)
        if passkey is None:
            raise NotFound
        is_usable = passkey.rp_id == self._party.id
        keeps_last = is_usable and await self.keeps_last(user_id)
        is_last = is_usable and sum(one.rp_id == passkey.rp_id for one in kept) == 1
        if keeps_last and is_last:
            raise _last()
        why = await self._kit.offers.why_it_stays(user_id, METHOD) if is_last else None
        if why is not None:
            raise InvalidArgument.of("id", why, "last")
        has_others = any(one.id != id for one in self.select_usable(kept))
        await self._kit.change_budget.spend(user_id, caller, removes=True)
        await self._mails.queue_removed(user_id, passkey, caller)
        audit = self._make_removal(user_id, 1, caller, by)
        # Before, so that nothing is removed while the store cannot be written; and after.
        await self._withdraw(user_id, session, has_others=has_others)
        result = await self._passkeys.remove(user_id, id, keeps_last=keeps_last, audit=audit)
        if result == "absent":
            raise NotFound
        if result == "last":
            raise _last()
        self._kit.events.publish(audit)
        await self._end_trust(user_id)
        await self._withdraw(user_id, session, has_others=has_others)

    async def _withdraw(self, user_id: str, session: Session | None, *, has_others: bool) -> None:
        """Have what passkeys had proven count no more: which of them it was is not known."""
        await self._kit.sessions.withdraw(user_id, METHOD, but=session, is_last=not has_others)

    async def _end_trust(self, user_id: str) -> None:
        """Ask for a second factor again in every browser (security rule 45)."""
        if self._kit.repositories is not None:
            factors, left = self._kit.repositories.factors, await self.usable(user_id)
            await factors.raise_generation(user_id, has_passkey=bool(left))

    async def keeps_last(self, user_id: str) -> bool:
        """Whether the last passkey of a person has to stay: nothing else lets them in.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        return self._rules().required or await self._kit.offers.is_only_way(user_id, METHOD)

    async def lets_in(self, user_id: str) -> bool:
        """Whether a person has a passkey to sign in with."""
        return bool(await self.usable(user_id))

    async def reset(self, user_id: str, *, by: str) -> int:
        """Remove all passkeys of a person, for who has lost them, and return how many.

        Sessions that nothing else had proven end.

        Args:
            user_id: whose.
            by: who does it, for the event.
        """
        count = len(await self.list(user_id))
        if count == 0:
            return 0
        await self._mails.queue_removed(user_id, None, None)
        audit = self._make_removal(user_id, count, None, by)
        await self._withdraw(user_id, None, has_others=False)
        removed = await self._passkeys.remove_all(user_id, audit=audit)
        self._kit.events.publish(audit)
        await self._end_trust(user_id)
        await self._withdraw(user_id, None, has_others=False)
        await self._kit.wake_delivery()
        return removed

    async def remove_all(self, user_id: str, by: str) -> None:
        """Remove all, as somebody's factors are reset (`on_factors_reset`)."""
        await self.reset(user_id, by=by)

    async def remove_since(self, user_id: str, at: int) -> None:
        """Remove what was added since a change of address that was undone (`on_address_undone`)."""
        count = sum(passkey.created_at >= at for passkey in await self.list(user_id))
        audit = self._make_removal(user_id, count, None, "person") if count else None
        # Also where there was none yet: one may have been made since they were counted.
        await self._passkeys.remove_since(user_id, at, audit=audit)
        if audit is not None:
            self._kit.events.publish(audit)

    def _make_removal(self, user_id: str, count: int, caller: Caller | None, by: str) -> Event:
        details = {"count": count}
        return self._kit.events.make(
            "passkey.removed", caller, user_id=user_id, by=by, details=details
        )


def read_id(text: str) -> bytes:
    """Return a passkey's id as it stands in a URL: unpadded base64url.

    Raises:
        NotFound: it is no such text, so it is nobody's.
    """
    id = unb64(text)
    if not id:
        raise NotFound
    return id


def _last() -> InvalidArgument:
    problem = Text("Nothing else lets you in. Add another passkey before you remove this one.")
    return InvalidArgument.of("id", problem, "last")

"""A person's own second factors: add, list, rename, remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

from starlette.requests import Request

from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.factor import Factor, FactorState
from pwless_middleware.core.people.given_name import read_name
from pwless_middleware.errors import InvalidArgument, NotFound, PersonDisabled, RequestExpired
from pwless_middleware.features.second_factors.mails import FactorMails
from pwless_middleware.features.second_factors.names import RECOVERY_CODE, SMS, TOTP
from pwless_middleware.features.second_factors.other_factors import OtherFactors
from pwless_middleware.features.second_factors.settings import SecondFactorRules
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.factors import FactorRepository

FRESH_WITHIN: Final = 300
"""Seconds since the proof that a change asks for (security rule 46)."""


class OwnFactors:
    """Do what a person does with their second factors, by whichever interface.

    Args:
        kit: everything below.
        factors: keeps them.
        others: second factors of other features.
        rules: how second factors behave now.
        mails: tell the person.
    """

    def __init__(
        self,
        kit: Kit,
        factors: FactorRepository,
        others: OtherFactors,
        rules: LiveSettings[SecondFactorRules],
        mails: FactorMails,
    ) -> None:
        self._kit = kit
        self._factors = factors
        self._others = others
        self._rules = rules
        self._mails = mails

    async def require(self, request: Request, *, back: str | None = None) -> Account:
        """Return who is signed in, and may change their second factors.

        That takes a fresh proof: by a second factor, for who has one (security rule 46).

        Args:
            request: to a route of ours.
            back: as of `Accounts.require`.

        Raises:
            Unauthenticated, StepUpRequired, Unavailable: as of `Accounts.require`.
        """
        account = await self._kit.accounts.require(request, back=back)
        has_any = await self.has_any(account.user.id)
        return await self._kit.accounts.require(
            request,
            fresh_within=FRESH_WITHIN,
            strength="second_factor" if has_any else "any",
            back=back,
        )

    def is_weak(self, session: Session) -> bool:
        """Whether a session is not freshly proven by a second factor, so that it may add the first.

        Between the question whether the person has one and the write another may have come.
        """
        return not self._kit.accounts.is_fresh(session, FRESH_WITHIN, "second_factor")

    async def state(self, user_id: str) -> FactorState:
        """Return a person's factors, oldest first, and how many recovery codes they have.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._factors.state(user_id)

    async def has_passkey(self, user_id: str) -> bool:
        """Whether a person has a second factor of another feature: a passkey."""
        return bool(await self._others.of(user_id))

    async def has_any(self, user_id: str) -> bool:
        """Whether a person has a second factor of any kind.

        Raises:
            StoreError: the database cannot be asked.
        """
        return bool((await self.state(user_id)).factors) or await self.has_passkey(user_id)

    async def keeps_last(self, user_id: str, session: Session | None = None) -> bool:
        """Whether the last factor of a person has to stay: nobody gets in without one.

        Args:
            user_id: whose.
            session: in which it would be removed; `None` for none.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        if self._rules().are_required(self._kit.clock()):
            return True
        policies = self._kit.policies
        if session is not None and (await policies.of_session(session)).mfa == "required":
            return True
        if not policies.has_organizations:
            return False
        # Whoever removes it would add the next one by a mail alone, in their next login there.
        directory = self._kit.organizations().directory
        for member in await directory.memberships(user_id):
            found = await directory.find(member.organization) if member.is_active else None
            if found is not None and found.policy.mfa == "required":
                return True
        return False

    # --- add -----------------------------------------------------------------------------------

    async def check_room(self, user_id: str) -> None:
        """Refuse a further factor of who has as many as there may be.

        Raises:
            InvalidArgument: the person has.
            StoreError: the database cannot be asked.
        """
        if len((await self.state(user_id)).factors) >= self._rules().max_per_user:
            raise self._full()

    async def check_phone(self, user_id: str, phone: str) -> None:
        """Refuse a phone number that could not be added, before anything is sent to it.

        Args:
            user_id: whose.
            phone: in E.164.

        Raises:
            InvalidArgument: the person has too many factors, has this number already, or it would
                be a phone number alone (security rule 47).
            StoreError: the database cannot be asked.
        """
        await self.check_room(user_id)
        factors = (await self.state(user_id)).factors
        if any(factor.phone == phone for factor in factors):
            raise InvalidArgument.of("phone", _KNOWN, "known")
        has_app = any(factor.kind == "totp" for factor in factors)
        if not has_app and not await self.has_passkey(user_id):
            raise InvalidArgument.of("phone", _ALONE, "alone")

    async def add(
        self, factor: Factor, caller: Caller, *, only_first: bool = False, by: str = "person"
    ) -> None:
        """Keep a factor that was just confirmed.

        Args:
            factor: the factor.
            caller: who has confirmed it.
            only_first: whether the person must have no second factor yet: a session or pending
                login that a mail alone has proven adds the first one, and no other.
            by: who adds it, for the event.

        Raises:
            InvalidArgument: the person has too many, has this number already, or it would be a
                phone number alone (security rule 47).
            RequestExpired: it is kept already, or is not the first.
            PersonDisabled: nobody can sign in as the person.
            RateLimited: the person has changed too much in 24 hours.
            Unavailable: database or queue cannot take it.
        """
        async with self._kit.change_lock.hold(factor.user_id):
            await self._add(factor, caller, only_first=only_first, by=by)
        await self._kit.wake_delivery()

    async def _add(self, factor: Factor, caller: Caller, *, only_first: bool, by: str) -> None:
        user_id = factor.user_id
        has_passkey = await self.has_passkey(user_id)
        if only_first and has_passkey:
            raise RequestExpired
        await self._kit.change_budget.spend(user_id, caller)
        await self._mails.queue_added(factor, caller)
        audit = self._kit.events.make(
            "factor.added", caller, user_id=user_id, method=factor.kind, by=by
        )
        result = await self._factors.add(
            factor,
            most=self._rules().max_per_user,
            may_be_alone=factor.kind == "totp" or has_passkey,
            only_first=only_first,
            audit=audit,
        )
        if result == "full":
            raise self._full()
        if result == "alone":
            raise InvalidArgument.of("phone", _ALONE, "alone")
        if result == "disabled":
            raise PersonDisabled
        if result == "known" and factor.phone:
            raise InvalidArgument.of("phone", _KNOWN, "known")
        if result != "added":
            raise RequestExpired
        self._kit.events.publish(audit)

    def _full(self) -> InvalidArgument:
        most = self._rules().max_per_user
        problem = Text.for_count(
            "You have %(n)s second factor, the most there can be. Remove it first.",
            "You have %(n)s second factors, the most there can be. Remove one first.",
            most,
        )
        return InvalidArgument.of("factor", problem, "most")

    # --- change --------------------------------------------------------------------------------

    async def rename(
        self,
        user_id: str,
        id: str,
        name: str,
        *,
        caller: Caller | None = None,
        by: str = "person",
    ) -> None:
        """Give a factor another name.

        Args:
            user_id: whose.
            id: of the factor.
            name: what the person calls it; 1 to 60 characters.
            caller: who asks, for the event.
            by: who changes it, for the event.

        Raises:
            InvalidArgument: it is no name.
            NotFound: the person has no such factor.
            StoreError: the database cannot be asked.
        """
        name = read_name(name)
        if not name:
            raise InvalidArgument.of("name", Text("This field is required."), "required")
        if not id.isprintable():  # nobody's, and no database takes a NUL
            raise NotFound
        audit = self._kit.events.make("factor.renamed", caller, user_id=user_id, by=by)
        if not await self._factors.rename(user_id, id, name, audit=audit):
            raise NotFound
        self._kit.events.publish(audit)

    async def remove(
        self,
        user_id: str,
        id: str,
        *,
        session: Session | None = None,
        caller: Caller | None = None,
        by: str = "person",
    ) -> None:
        """Remove a factor. What it has proven counts no more, in any session.

        Args:
            user_id: whose.
            id: of the factor.
            session: in which the person removes it, which is not ended; `None` for none.
            caller: who asks, for the event.
            by: who removes it, for the event.

        Raises:
            InvalidArgument: it has to stay.
            NotFound: the person has no such factor.
            RateLimited: as of `ChangeBudget.spend`.
            Unavailable: database, store or queue cannot take it.
        """
        async with self._kit.change_lock.hold(user_id):
            await self._remove(user_id, id, session=session, caller=caller, by=by)
        await self._kit.wake_delivery()

    async def _remove(
        self, user_id: str, id: str, *, session: Session | None, caller: Caller | None, by: str
    ) -> None:
        state = await self.state(user_id)
        factors = state.factors
        factor = next((one for one in factors if one.id == id), None)
        if factor is None:
            raise NotFound
        is_last = sum(one.kind == factor.kind for one in factors) == 1
        has_passkey = await self.has_passkey(user_id)
        keeps_last = await self.keeps_last(user_id, session)
        self._check_removal(factor, factors, has_passkey=has_passkey, keeps_last=keeps_last)
        await self._kit.change_budget.spend(user_id, caller, removes=True)
        await self._mails.queue_removed(factor, caller)
        # Before, so that nothing is removed while the store cannot be written; and after.
        await self._kit.sessions.withdraw(user_id, factor.kind, but=session, is_last=is_last)
        audit = self._kit.events.make(
            "factor.removed",
            caller,
            user_id=user_id,
            method=factor.kind,
            by=by,
            details={"count": 1},
        )
        result = await self._factors.remove(
            user_id,
            id,
            keeps_last=keeps_last,
            has_passkey=has_passkey,
            audit=audit,
        )
        if result == "absent":
            raise NotFound
        if result != "removed":
            raise _stays(result)
        self._kit.events.publish(audit)
        await self._kit.sessions.withdraw(user_id, factor.kind, but=session, is_last=is_last)
        if state.recovery_codes and not (await self.state(user_id)).recovery_codes:
            # They went with the last factor, for which they had stood in.
            await self._kit.sessions.withdraw(user_id, RECOVERY_CODE, but=session)

    def _check_removal(
        self, factor: Factor, factors: Sequence[Factor], *, has_passkey: bool, keeps_last: bool
    ) -> None:
        """Refuse what the database would refuse, before anything is withdrawn.

        Raises:
            InvalidArgument: it has to stay.
        """
        left = {one.kind for one in factors if one.id != factor.id}
        if not left and not has_passkey and keeps_last:
            raise _stays("last")
        if left == {"sms"} and factor.kind == "totp" and not has_passkey:
            raise _stays("alone")

    async def why_it_stays(self, user_id: str, method: str) -> Text | None:
        """Return why the last passkey of a person has to stay, or `None` (`Mounted.keeps`).

        Raises:
            StoreError: the database cannot be asked.
        """
        if method in (TOTP, SMS, RECOVERY_CODE):
            return None
        kinds = {factor.kind for factor in (await self.state(user_id)).factors}
        if not kinds and await self.keeps_last(user_id):
            return _LAST
        return _ALONE_LEFT if kinds == {"sms"} else None

    async def remove_since(self, user_id: str, at: int) -> None:
        """Remove what was added since a change of address that was undone (`on_address_undone`)."""
        state = await self.state(user_id)
        count = sum(factor.created_at >= at for factor in state.factors)
        audit = None
        if count:
            audit = self._kit.events.make(
                "factor.removed", user_id=user_id, by="person", details={"count": count}
            )
        # Also where there was none yet: one may have been made since they were counted.
        await self._factors.remove_since(user_id, at, audit=audit)
        if audit is not None:
            self._kit.events.publish(audit)


def _stays(why: Literal["last", "alone"]) -> InvalidArgument:
    return InvalidArgument.of("id", _LAST if why == "last" else _ALONE_LEFT, why)


_ALONE = Text("Add an authenticator app or a passkey first: a phone number alone is too weak.")
_ALONE_LEFT = Text("A phone number alone is too weak. Remove it first, or add something else.")
_KNOWN = Text("You have this phone number already.")
_LAST = Text("A second factor is required here. Add another one before you remove this one.")

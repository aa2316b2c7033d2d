"""A person's own passkeys: make, list, rename, remove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from starlette.requests import Request

from pwless_middleware.core.authentication import Authentication, Strength
from pwless_middleware.core.base64url import unb64
from pwless_middleware.core.caller import Caller
from pwless_middleware.core.event import Event
from pwless_middleware.core.given_name import read_name
from pwless_middleware.core.passkey import Passkey
from pwless_middleware.core.session import Session
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.features.passkeys.answers import METHOD, Answers
from pwless_middleware.features.passkeys.ceremonies import (
    Ceremonies,
    Ceremony,
    Kind,
)
from pwless_middleware.features.passkeys.credentials import Attestation, read_attestation
from pwless_middleware.features.passkeys.mails import PasskeyMails
from pwless_middleware.features.passkeys.names import name_of
from pwless_middleware.features.passkeys.prompts import Owner, Prompts
from pwless_middleware.features.passkeys.public_key_options import Prompt, UserVerification
from pwless_middleware.features.passkeys.relying_party import RelyingParty
from pwless_middleware.features.passkeys.settings import PasskeyRules
from pwless_middleware.features.passkeys.verification import (
    NewCredential,
    Rejected,
    verify_attestation,
)
from pwless_middleware.flows.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.accounts import Account
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.passkeys import PasskeyRepository

FRESH_WITHIN: Final = 300
"""Seconds since the proof that adding and removing ask for (security rule 34)."""


class OwnPasskeys:
    """Do what a person does with their passkeys, by whichever interface.

    Args:
        kit: everything below.
        passkeys: keeps them.
        party: ours.
        rules: how passkeys behave now.
        ceremonies: spends challenges.
        prompts: makes them.
        answers: records what is refused.
        mails: tell the person.
        user_verification: whether a new passkey's authenticator must have checked who holds it.
    """

    def __init__(
        self,
        kit: Kit,
        passkeys: PasskeyRepository,
        party: RelyingParty,
        rules: LiveSettings[PasskeyRules],
        ceremonies: Ceremonies,
        prompts: Prompts,
        answers: Answers,
        mails: PasskeyMails,
        *,
        user_verification: UserVerification,
    ) -> None:
        self._kit = kit
        self._party = party
        self._rules = rules
        self._passkeys = passkeys
        self._ceremonies = ceremonies
        self._prompts = prompts
        self._answers = answers
        self._mails = mails
        self._user_verification = user_verification

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
        return self._usable(await self.list(user_id))

    def _usable(self, passkeys: Sequence[Passkey]) -> Sequence[Passkey]:
        return [passkey for passkey in passkeys if passkey.rp_id == self._party.id]

    async def user_handle(self, user_id: str) -> bytes | None:
        """Return by what authenticators know a person; `None` for who never had a passkey."""
        return await self._passkeys.handle_of(user_id)

    # --- make one ------------------------------------------------------------------------------

    async def options(
        self, owner: Owner, holder: str, caller: Caller, *, conditional: bool = False
    ) -> Prompt:
        """Return what makes a passkey.

        Args:
            owner: whose it will be.
            holder: who alone may answer.
            caller: who asks, for the budget.
            conditional: whether the browser makes it without asking, after a login by a password
                or mail (WebAuthn Level 3 §5.1.3, conditional creation): nobody touches anything.

        Raises:
            InvalidArgument: the person has as many as there may be.
            RateLimited, Unavailable: as of `Ceremonies.begin`.
        """
        passkeys = await self.list(owner.user_id)
        self._check_room(len(self._usable(passkeys)))
        kind: Kind = "conditional_create" if conditional else "create"
        return await self._prompts.for_new(
            kind,
            owner,
            holder,
            caller,
            passkeys=passkeys,
            user_verification="preferred" if conditional else self._user_verification,
        )

    async def add(
        self,
        owner: Owner,
        ceremony_id: str,
        credential: Mapping[str, object],
        caller: Caller,
        holder: str,
        *,
        name: str = "",
        only_first: bool = False,
        by: str = "person",
    ) -> Passkey:
        """Keep a passkey that was made.

        Args:
            owner: whose it is.
            ceremony_id: as the prompt gave it.
            credential: what the browser answered, `PublicKeyCredential.toJSON()`.
            caller: who answers.
            holder: who answers.
            name: what the person calls it; empty takes that of what keeps it.
            only_first: whether the person must have none yet.
            by: who adds it, for the event.

        Raises:
            InvalidArgument: a field has another shape, or there are too many; it is named.
            InvalidCredential: it is not good, or kept already.
            RateLimited: the person has changed too much in 24 hours.
            RequestExpired, TooManyAttempts, Unavailable: as of `Ceremonies.spend`.
        """
        name = read_name(name)
        attestation = read_attestation(credential)
        kinds: tuple[Kind, ...] = ("create", "conditional_create")
        ceremony = await self._ceremonies.spend(ceremony_id, kinds, holder, caller)
        passkey, _ = await self.keep(
            owner, ceremony, attestation, caller, name=name, only_first=only_first, by=by
        )
        # Nothing else is written with which the try could be given back.
        await self._ceremonies.give_back(ceremony)
        return passkey

    def is_weak(self, account: Account) -> bool:
        """Whether a session is not freshly proven by a passkey, so that it may make the first only.

        Between the question whether the person has one and the write another may have come.
        """
        return not self._kit.accounts.is_fresh(account.session, FRESH_WITHIN, "phishing_resistant")

    async def keep(
        self,
        owner: Owner,
        ceremony: Ceremony,
        attestation: Attestation,
        caller: Caller,
        *,
        name: str,
        only_first: bool,
        by: str,
    ) -> tuple[Passkey, Authentication]:
        """Verify what a browser made, keep it, and tell the person; return it and what it proves.

        Raises:
            InvalidArgument: the person has as many as there may be.
            InvalidCredential: it is not good, or kept already.
            RateLimited: the person has changed too much in 24 hours.
            Unavailable: database or queue cannot take it.
        """
        is_conditional = ceremony.kind == "conditional_create"
        is_strict = self._user_verification == "required" and not is_conditional
        try:
            new = verify_attestation(
                attestation,
                challenge=ceremony.challenge,
                party=self._party,
                needs_presence=not is_conditional,
                needs_verification=is_strict,
            )
        except Rejected as rejected:
            self._answers.refuse(rejected.reason, ceremony, caller, owner.user_id)
        passkey = self._passkey(owner, ceremony, new, name)
        await self._kit.change_budget.spend(owner.user_id, caller)
        await self._mails.queue_added(passkey, caller)
        audit = self._kit.events.make("passkey.added", caller, user_id=owner.user_id, by=by)
        most = self._rules().max_per_user
        result = await self._passkeys.add(passkey, most=most, only_first=only_first, audit=audit)
        if result == "full":
            self._check_room(most)
        if result != "added":
            self._answers.refuse(result, ceremony, caller, owner.user_id)
        self._kit.events.publish(audit)
        await self._kit.wake_delivery()
        factors = (METHOD, "user_verification") if new.is_verified else (METHOD,)
        proven = Authentication(METHOD, passkey.created_at, factors, phishing_resistant=True)
        return passkey, proven

    def _passkey(self, owner: Owner, ceremony: Ceremony, new: NewCredential, name: str) -> Passkey:
        return Passkey(
            id=new.id,
            user_id=owner.user_id,
            user_handle=ceremony.user_handle,
            public_key=new.public_key,
            sign_count=new.sign_count,
            aaguid=new.aaguid,
            transports=new.transports,
            is_synced=new.is_synced,
            is_backed_up=new.is_backed_up,
            rp_id=self._party.id,
            name=name or name_of(new.aaguid),
            created_at=self._kit.clock(),
            used_at=None,
        )

    def _check_room(self, count: int) -> None:
        most = self._rules().max_per_user
        if count >= most:
            problem = Text(
                "You have %(most)s passkeys, the most there can be. Remove one.", most=most
            )
            raise InvalidArgument.of("credential", problem, "most")

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
        kept = await self.list(user_id)
        passkey = next((one for one in kept if one.id == id), None)
        if passkey is None:
            raise NotFound
        is_usable = passkey.rp_id == self._party.id
        keeps_last = self.keeps_last and is_usable
        is_last = is_usable and sum(one.rp_id == passkey.rp_id for one in kept) == 1
        if keeps_last and is_last:
            raise _last()
        why = await self._kit.offers.why_it_stays(user_id, METHOD) if is_last else None
        if why is not None:
            raise InvalidArgument.of("id", why, "last")
        has_others = any(one.id != id for one in self._usable(kept))
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
        await self._kit.wake_delivery()

    async def _withdraw(self, user_id: str, session: Session | None, *, has_others: bool) -> None:
        """Have what passkeys had proven count no more: which of them it was is not known."""
        await self._kit.sessions.withdraw(user_id, METHOD, but=session, is_last=not has_others)

    async def _end_trust(self, user_id: str) -> None:
        """Ask for a second factor again in every browser (security rule 45)."""
        if self._kit.repositories is not None:
            factors, left = self._kit.repositories.factors, await self.usable(user_id)
            await factors.raise_generation(user_id, has_passkey=bool(left))

    @property
    def keeps_last(self) -> bool:
        """Whether the last passkey of a person has to stay: nothing else lets them in."""
        others = [one for one in self._kit.offers.methods if one.name != METHOD]
        return self._rules().required or not others

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

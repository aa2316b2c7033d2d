"""How passkeys are made: the options for a browser, and what it answers, verified and kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.given_name import read_name
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.passkeys.ceremonies.answers import METHOD, Answers
from pwless_middleware.features.passkeys.ceremonies.ceremonies import Ceremonies, Ceremony, Kind
from pwless_middleware.features.passkeys.ceremonies.prompts import Owner, Prompts
from pwless_middleware.features.passkeys.mails import PasskeyMails
from pwless_middleware.features.passkeys.own_passkeys import FRESH_WITHIN, OwnPasskeys
from pwless_middleware.features.passkeys.settings import PasskeyRules
from pwless_middleware.features.passkeys.webauthn.credentials import Attestation, read_attestation
from pwless_middleware.features.passkeys.webauthn.names import name_of
from pwless_middleware.features.passkeys.webauthn.public_key_options import Prompt, UserVerification
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from pwless_middleware.features.passkeys.webauthn.verification import (
    NewCredential,
    Rejected,
    verify_attestation,
)
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.passkeys import PasskeyRepository


class NewPasskeys:
    """Make a person's passkeys, by whichever interface.

    Args:
        kit: everything below.
        passkeys: keeps them.
        own: knows what the person has.
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
        own: OwnPasskeys,
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
        self._passkeys = passkeys
        self._own = own
        self._party = party
        self._rules = rules
        self._ceremonies = ceremonies
        self._prompts = prompts
        self._answers = answers
        self._mails = mails
        self._user_verification = user_verification

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
        passkeys = await self._own.list(owner.user_id)
        self._check_room(len(self._own.select_usable(passkeys)))
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

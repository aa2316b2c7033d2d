"""Verify what a browser answers with a passkey, against the passkey that is kept.

The challenge is spent by then (`ceremonies`). What is wrong is one error to the outside, and has
its reason in an event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.authentication import Authentication
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.errors import InvalidCredential
from pwless_middleware.features.passkeys.ceremonies.ceremonies import Ceremony
from pwless_middleware.features.passkeys.webauthn.credentials import Assertion
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty
from pwless_middleware.features.passkeys.webauthn.verification import (
    Rejected,
    Use,
    check_context,
    verify_assertion,
)
from pwless_middleware.flows.logins.proofs import Holds
from pwless_middleware.web.kit import Kit

if TYPE_CHECKING:
    from pwless_middleware.database.factors.passkeys import PasskeyRepository

METHOD = "passkey"
"""The name of the authentication that a passkey is."""


class Answers:
    """Verify answers.

    Args:
        kit: everything below.
        passkeys: keeps them.
        party: ours.
    """

    def __init__(self, kit: Kit, passkeys: PasskeyRepository, party: RelyingParty) -> None:
        self._passkeys = passkeys
        self._events = kit.events
        self._clock = kit.clock
        self._party = party

    async def verify(
        self,
        ceremony: Ceremony,
        assertion: Assertion,
        caller: Caller,
        *,
        user_id: str | None = None,
        needs_verification: bool = True,
    ) -> tuple[Passkey, Authentication]:
        """Return the passkey that has answered, and what that proves. Its use is noted.

        Args:
            ceremony: the challenge, which is spent.
            assertion: the answer.
            caller: who answers, for the event.
            user_id: whose passkey it has to be; `None` finds out by it who answers, and the
                authenticator has to say so as well.
            needs_verification: whether the authenticator must have checked who holds it.

        Raises:
            InvalidCredential: something is not right.
            StoreError: the database cannot be asked.
        """
        passkey = await self._passkeys.find(assertion.id)
        if passkey is None:
            self._refuse_unknown(ceremony, assertion, caller)
        if user_id is not None and passkey.user_id != user_id:
            self.refuse("other_user", ceremony, caller)
        if user_id is None and assertion.user_handle is None:
            self.refuse("user_handle", ceremony, caller, passkey.user_id)
        try:
            use = verify_assertion(
                assertion,
                challenge=ceremony.challenge,
                party=self._party,
                passkey=passkey,
                needs_verification=needs_verification,
            )
        except Rejected as rejected:
            self.refuse(rejected.reason, ceremony, caller, passkey.user_id)
        await self._note(passkey, use, ceremony, caller)
        factors = (METHOD, "user_verification") if use.is_verified else (METHOD,)
        proven = Authentication(METHOD, self._clock(), factors, phishing_resistant=True)
        return passkey, proven

    def still_there(self, passkey: Passkey) -> Holds:
        """Return what says whether a passkey that has proven something was not removed since."""

        async def holds() -> bool:
            return await self._passkeys.find(passkey.id) is not None

        return holds

    def refuse(
        self, reason: str, ceremony: Ceremony, caller: Caller, user_id: str | None = None
    ) -> NoReturn:
        """Record why something is refused, and say to the outside that it is."""
        self._record(reason, ceremony, caller, user_id)
        raise InvalidCredential from None

    async def _note(self, passkey: Passkey, use: Use, ceremony: Ceremony, caller: Caller) -> None:
        """Write down that it was used.

        A device-bound passkey that counts back was copied, and is refused (security rule 33); so
        is one that has been removed since it was found.
        """
        is_noted = await self._passkeys.note_use(
            passkey.id,
            sign_count=use.sign_count,
            is_backed_up=use.is_backed_up,
            at=self._clock(),
        )
        if not is_noted:
            self.refuse("sign_count", ceremony, caller, passkey.user_id)
        if passkey.is_synced and use.sign_count < passkey.sign_count:
            self._events.record(
                "passkey.count_fell", caller, attempt=ceremony.attempt, user_id=passkey.user_id
            )

    def _refuse_unknown(self, ceremony: Ceremony, assertion: Assertion, caller: Caller) -> NoReturn:
        """Refuse a credential that is nobody's.

        If all else is right, a browser of ours has kept a passkey that we have not, and is told so.
        """
        try:
            check_context(assertion, challenge=ceremony.challenge, party=self._party)
        except Rejected as rejected:
            self.refuse(rejected.reason, ceremony, caller)
        self._record("unknown", ceremony, caller, None)
        raise InvalidCredential(unknown_id=b64(assertion.id))

    def _record(self, reason: str, ceremony: Ceremony, caller: Caller, user_id: str | None) -> None:
        kind, attempt = "passkey.refused", ceremony.attempt
        if user_id is None:
            self._events.record(kind, caller, attempt=attempt, reason=reason)
        else:
            self._events.record(kind, caller, attempt=attempt, user_id=user_id, reason=reason)

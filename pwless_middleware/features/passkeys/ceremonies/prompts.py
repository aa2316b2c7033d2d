"""Begin ceremonies with what a browser is asked."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.core.people.user import User
from pwless_middleware.features.passkeys.ceremonies.ceremonies import Ceremonies, Kind
from pwless_middleware.features.passkeys.webauthn.public_key_options import (
    Prompt,
    UserVerification,
    creation_options,
    request_options,
)
from pwless_middleware.features.passkeys.webauthn.relying_party import RelyingParty

if TYPE_CHECKING:
    from pwless_middleware.database.factors.passkeys import PasskeyRepository

USER_HANDLE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Owner:
    """Who is to have a passkey.

    Attributes:
        user_id: the user's id.
        email: by which the browser shows whose the passkey is.
        display_name: what the person is called.
    """

    user_id: str
    email: str
    display_name: str

    @classmethod
    def of(cls, user: User) -> Owner:
        """Return a user as an owner."""
        return cls(user.id, user.email, user.display_name)


class Prompts:
    """Make what a browser is asked.

    Args:
        ceremonies: makes the challenges.
        passkeys: knows the user handles.
        party: ours.
        name: returns how the site is called.
        clock: gives unix seconds.
    """

    def __init__(
        self,
        ceremonies: Ceremonies,
        passkeys: PasskeyRepository,
        party: RelyingParty,
        *,
        name: Callable[[], str],
        clock: Callable[[], int],
    ) -> None:
        self._ceremonies = ceremonies
        self._passkeys = passkeys
        self._party = party
        self._name = name
        self._clock = clock

    def for_answer(
        self,
        kind: Kind,
        holder: str,
        caller: Caller,
        *,
        passkeys: Sequence[Passkey] = (),
        user_verification: UserVerification = "required",
    ) -> Prompt:
        """Ask for an answer with one of these passkeys; with any, where none is named.

        Raises:
            RateLimited, Unavailable: as of `Ceremonies.begin`.
        """
        ceremony_id, ceremony = self._ceremonies.begin(kind, holder, caller)
        options = request_options(
            ceremony,
            rp_id=self._party.id,
            now=self._clock(),
            user_verification=user_verification,
            passkeys=passkeys,
        )
        return Prompt(ceremony_id, ceremony.expires_at, options)

    async def for_new(
        self,
        kind: Kind,
        owner: Owner,
        holder: str,
        caller: Caller,
        *,
        passkeys: Sequence[Passkey],
        user_verification: UserVerification,
    ) -> Prompt:
        """Ask for a new passkey of a person who has these.

        The person's user handle is random, and kept with the first passkey (security rule 32).

        Raises:
            RateLimited, Unavailable: as of `Ceremonies.begin`.
        """
        handle = await self._passkeys.handle_of(owner.user_id)
        if handle is None:
            handle = secrets.token_bytes(USER_HANDLE_BYTES)
        ceremony_id, ceremony = self._ceremonies.begin(kind, holder, caller, user_handle=handle)
        options = creation_options(
            ceremony,
            rp_id=self._party.id,
            rp_name=self._name(),
            now=self._clock(),
            user_verification=user_verification,
            user_name=owner.email,
            display_name=owner.display_name,
            passkeys=passkeys,
        )
        return Prompt(ceremony_id, ceremony.expires_at, options)

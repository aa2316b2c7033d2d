"""The Python interface: what a host's own code does with passkeys, without any HTTP of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pwless_middleware.core.logins.caller import IN_PROCESS, Caller
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.passkey import Passkey
from pwless_middleware.errors import InvalidArgument, PersonNotFound
from pwless_middleware.features.passkeys.ceremonies.prompts import Owner
from pwless_middleware.features.passkeys.fields import ADD, LOGIN, RENAME
from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.features.passkeys.own_passkeys import read_id
from pwless_middleware.features.passkeys.webauthn.public_key_options import Prompt
from pwless_middleware.flows.store_deadline import request_deadline
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.python_calls import SignedIn, check_arguments, make_caller

BY = "python"
"""Who has made a change, in events."""


class PasskeyVerbs:
    """Offer passkeys to the host's own code.

    Whoever calls says who is signed in, and has asked for a fresh proof where one is due: nothing
    of that is checked here.

    Args:
        kit: everything below.
        flow: does it.

    Attributes:
        party: the host that passkeys belong to, and the origins that may use them.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.party = flow.party

    # --- sign in -------------------------------------------------------------------------------

    async def login_options(self, *, client: str | None = None) -> Prompt:
        """Return what a browser is asked, to sign in: its `options` go there, as JSON.

        Keep the `ceremony_id` with the browser that it is for.

        Args:
            client: the client's IP address, for the limits; `None` counts for nobody.

        Raises:
            InvalidArgument: `client` is no address.
            RateLimited: the client asks too often.
            Unavailable: too many clients ask, or the settings are not known.
        """
        caller = make_caller(client)
        await self._kit.settings.require()
        return self._flow.login_options(caller, IN_PROCESS)

    async def verify(
        self,
        *,
        ceremony_id: str,
        credential: Mapping[str, Any],
        client: str | None = None,
        user_agent: str | None = None,
        ends: Session | None = None,
        organization: str | None = None,
    ) -> SignedIn:
        """Check a browser's answer, and sign its owner in.

        Args:
            ceremony_id: as `login_options` gave it.
            credential: what the browser answered, `credential.toJSON()`.
            client: as of `login_options`.
            user_agent: the browser's `User-Agent`, for the list of sessions; `None` says nothing.
            ends: a session of this browser that the login ends; `None` for none.
            organization: the one that the login is to enter, by its id or your own key of it;
                `None` names none.

        Raises:
            InvalidArgument: an argument is malformed; it is named.
            InvalidCredential: the passkey is not good here.
            RequestExpired: the ceremony is unknown, over, or was answered.
            StepRequired: a further step is asked for.
            LoginDenied, LoginElsewhere, TooManyAttempts, Unavailable: as of `Passwordless.verify`.
        """
        caller = make_caller(client, user_agent, ends=ends)
        given = check_arguments(
            LOGIN, ceremony_id=ceremony_id, credential=credential, organization=organization
        )
        await self._kit.settings.require()
        with request_deadline():
            done = await self._flow.login(
                ceremony_id,
                given.json("credential") or {},
                caller,
                IN_PROCESS,
                organization=given.get("organization"),
            )
        return SignedIn.of(self._kit, caller, done)

    # --- a person's own ------------------------------------------------------------------------

    async def creation_options(self, user_id: str) -> Prompt:
        """Return what a browser is asked, to make a passkey for somebody.

        Raises:
            PersonNotFound: nobody has this id.
            InvalidArgument: the person has as many as there may be.
            Unavailable: the database cannot be asked.
        """
        await self._kit.settings.require()
        with request_deadline():
            owner = await self._owner(user_id)
            return await self._flow.new.options(owner, _held_for(user_id), Caller(name=IN_PROCESS))

    async def add(
        self, user_id: str, *, ceremony_id: str, credential: Mapping[str, Any], name: str = ""
    ) -> Passkey:
        """Keep a passkey that was made, and tell the person by mail.

        Args:
            user_id: whose it is.
            ceremony_id: as `creation_options` gave it for the same person.
            credential: what the browser answered, `credential.toJSON()`.
            name: what the person calls it; empty takes that of what keeps it.

        Raises:
            PersonNotFound, InvalidArgument, InvalidCredential, RequestExpired, Unavailable: as of
                `creation_options` and `verify`.
        """
        given = check_arguments(ADD, ceremony_id=ceremony_id, credential=credential, name=name)
        await self._kit.settings.require()
        with request_deadline():
            owner = await self._owner(user_id)
            return await self._flow.new.add(
                owner,
                ceremony_id,
                given.json("credential") or {},
                Caller(name=IN_PROCESS),
                _held_for(user_id),
                name=name,
                by=BY,
            )

    async def list(self, user_id: str) -> Sequence[Passkey]:
        """Return a person's passkeys, oldest first.

        Raises:
            StoreError: the database cannot be asked.
        """
        return await self._flow.own.list(user_id)

    async def rename(self, user_id: str, id: str | bytes, name: str) -> None:
        """Give a passkey another name.

        Args:
            user_id: whose it is.
            id: which; as text it is base64url.
            name: 1 to 60 characters.

        Raises:
            NotFound: the person has no such passkey.
            InvalidArgument: it is no name.
            StoreError: the database cannot be asked.
        """
        check_arguments(RENAME, name=name)
        await self._flow.own.rename(user_id, _read_id(id), name, by=BY)

    async def remove(
        self, user_id: str, id: str | bytes, *, session: Session | None = None
    ) -> None:
        """Remove a passkey, and tell the person by mail.

        What passkeys had proven counts no more: the person's sessions are worth what else has
        proven them, and end where nothing else has.

        Args:
            user_id: whose it is.
            id: which; as text it is base64url.
            session: the person's own, in which they remove it: it goes on, and keeps its worth
                while they have another passkey. `None` (default) for none.

        Raises:
            NotFound: the person has no such passkey.
            InvalidArgument: nothing else lets the person in; `reset` removes the last one too.
            Unavailable: database or queue cannot take it.
        """
        await self._kit.settings.require()
        if session is not None and not isinstance(session, Session):
            raise InvalidArgument.of("session", "Give a Session, or None.", "session")
        await self._flow.own.remove(user_id, _read_id(id), session=session, by=BY)

    async def reset(self, user_id: str, *, by: str = BY) -> int:
        """Remove all passkeys of somebody who has lost them, tell them, and return how many.

        Where passkeys are required, the next login by mail makes a new one. Sessions go on by what
        else has proven them, and end where nothing else has; end all of them by
        `Passwordless.sessions.revoke_all`.

        Args:
            user_id: whose.
            by: who does it, for the event; default `python`.

        Raises:
            Unavailable: database or queue cannot take it.
        """
        await self._kit.settings.require()
        return await self._flow.own.reset(user_id, by=by)

    async def _owner(self, user_id: str) -> Owner:
        user = await self._kit.users.load(user_id)
        if user is None:
            raise PersonNotFound
        return Owner.of(user)


def _held_for(user_id: str) -> str:
    return f"{IN_PROCESS}user:{user_id}"


def _read_id(id: str | bytes) -> bytes:
    return id if isinstance(id, bytes) else read_id(id)

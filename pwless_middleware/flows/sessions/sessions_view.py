"""What a host and a feature may do with sessions: look at them and end them, never make one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.user import id_text
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.logins.withdrawals import Withdrawals
from pwless_middleware.flows.sessions.session_validation import SessionValidator
from pwless_middleware.flows.sessions.sessions import Sessions
from pwless_middleware.text import Text


class SessionsView:
    """Find, list and end sessions.

    A user's id is that of `User`: a number or UUID of your own table is read as its text. What is
    neither is an `InvalidArgument`.

    Args:
        sessions: their keeper.
        validator: says which of them count.
        withdrawals: make less of them.
    """

    def __init__(
        self, sessions: Sessions, validator: SessionValidator, withdrawals: Withdrawals
    ) -> None:
        self._sessions = sessions
        self._validator = validator
        self._withdrawals = withdrawals

    async def find(self, signed: str) -> Session | None:
        """Return the live session of a cookie value or token (`pws_…`), or `None`.

        `None` as well where its user is gone or disabled, or a rule refuses it.

        Raises:
            StoreError, Unavailable: it cannot be known; that is neither "in" nor "out".
        """
        held = await self._sessions.find(signed)
        if held is None or await self._validator.validate(held) is None:
            return None
        return held.session

    async def lives(self, signed: str) -> bool:
        """Whether the session of a cookie value or token is alive, without using it.

        Raises:
            StoreError, Unavailable: it cannot be known.
        """
        held = await self._sessions.look(signed)
        return held is not None and await self._validator.validate(held) is not None

    async def list(self, user_id: str | int | UUID) -> Sequence[Session]:
        """Return a user's live sessions, the most recently used first.

        Raises:
            StoreError: the store could not be asked.
        """
        return await self._sessions.list(_check_id(user_id))

    async def end(self, session: Session) -> None:
        """End one session, here at once and elsewhere within 100 ms; may already be over.

        Raises:
            StoreError: the store could not be asked; the session may still live.
        """
        await self._sessions.end(session)

    async def revoke(self, user_id: str | int | UUID, session_id: str) -> bool:
        """End one session of a user by its public id; false if the user has no such session.

        Raises:
            StoreError: the store could not be asked; the session may still live.
        """
        return await self._sessions.revoke(_check_id(user_id), session_id)

    async def revoke_others(self, user_id: str | int | UUID, keep: str) -> int:
        """End all sessions of a user but the one with the id `keep`; return how many.

        Raises:
            StoreError: the store could not be asked; sessions may still live.
        """
        return await self._sessions.revoke_others(_check_id(user_id), keep)

    async def withdraw(
        self, user_id: str, method: str, *, but: Session | None = None, is_last: bool = True
    ) -> None:
        """Have a method's proofs count no more in any session of a user, after a factor is removed.

        Here at once and elsewhere within 100 ms. A session that was proven by nothing else ends, a
        login that waits for a step and holds such a proof as well. What is proven from now on
        counts.

        Args:
            user_id: whose.
            method: which (`Authentication.method`).
            but: the person's own session, in which they have removed the factor: it does not end.
                Where nothing else had proven it, it goes on and is worth nothing more (`any`).
            is_last: whether no factor of this method is left. Where one is, `but` stays as it is;
                which one had proven the others is not known, so that they lose it either way.

        Raises:
            StoreError: the store could not be asked; the proofs may still count. May be called
                again.
        """
        await self._withdrawals.withdraw(user_id, method, but=but, is_last=is_last)

    async def end_pending(self, user_id: str | int | UUID) -> None:
        """End every login of a user that waits for a step.

        Raises:
            StoreError: the store could not be asked; such logins may still wait.
        """
        await self._sessions.end_pending(_check_id(user_id))

    async def revoke_all(self, user_id: str | int | UUID) -> int:
        """End every session of a user, and every login that waits for a step.

        Device cookies and tokens given before lose their own budget too: whoever holds one is a
        stranger until the next login (with the memory store, as long as its process lives).

        For a changed address, a lost phone, a user who is deleted.

        Returns:
            How many sessions there were.

        Raises:
            StoreError: the store could not be asked; sessions may still live.
        """
        return await self._sessions.revoke_all(_check_id(user_id))


def _check_id(user_id: object) -> str:
    id = id_text(user_id)
    if id is None:
        raise InvalidArgument.of("user_id", Text("This must be a string."), "string")
    return id

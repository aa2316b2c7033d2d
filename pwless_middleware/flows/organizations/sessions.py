"""The sessions that people have in organizations, ended or asked about anew in every process."""

from __future__ import annotations

from pwless_middleware.flows.logins.login_rules import ORGANIZATIONS
from pwless_middleware.flows.sessions.sessions_view import SessionsView
from pwless_middleware.flows.signals.signals import Signals


class OrganizationSessions:
    """End sessions in organizations, or have every process ask anew whether they go on.

    Args:
        sessions: ends them.
        signals: tell other processes.
    """

    def __init__(self, sessions: SessionsView, signals: Signals) -> None:
        self._sessions = sessions
        self._signals = signals

    async def end(self, user_id: str, organization: str) -> None:
        """End all sessions of somebody in an organization, here at once and elsewhere in 100 ms.

        Raises:
            StoreError: the store cannot be asked; sessions may still live. May be called again.
        """
        for session in await self._sessions.list(user_id):
            if session.organization == organization:
                await self._sessions.revoke(user_id, session.id)
        await self._signals.tell_user(user_id)

    async def look_again(self, user_id: str) -> None:
        """Have every process ask anew what somebody's sessions are worth.

        Raises:
            StoreError: the store cannot be asked.
        """
        await self._signals.tell_user(user_id)

    async def look_again_at_all(self) -> None:
        """Have every process ask anew whether the sessions that it holds go on, with the next
        request of each.

        Raises:
            StoreError: the store cannot be asked.
        """
        await self._signals.tell(ORGANIZATIONS)

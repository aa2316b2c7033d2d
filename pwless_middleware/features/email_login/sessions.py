"""The allow list binds running sessions too: who has left the company is out, not only kept out."""

from __future__ import annotations

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.logins.session import Session
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import LoginDenied
from pwless_middleware.flows.challenges.challenge_rules import CurrentRules
from pwless_middleware.flows.challenges.challenge_verifier import CODE_METHOD, LINK_METHOD


class EmailSessions:
    """Judge the sessions that began with a mail.

    Args:
        rules: whom the deployment serves.
    """

    def __init__(self, rules: CurrentRules) -> None:
        self._rules = rules

    async def rule(self, session: Session, user: User) -> None:
        """Refuse a session whose user's address, as it is now, is not served.

        Raises:
            LoginDenied: it is not.
            Unavailable: the host's own rule failed.
        """
        if not {CODE_METHOD, LINK_METHOD}.intersection(session.methods):
            return
        address = parse_address(user.email)
        if address is None or not await self._rules().serves(address):
            raise LoginDenied

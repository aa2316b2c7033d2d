"""Whether a session that lives still counts: its user is there, and no rule refuses it.

A login asks every rule once; then people are disabled, allow lists change, and the session is weeks
old. So what the login asked is asked again where a session is met and nothing that is held in
process says that it goes on: at the first request of a process, after a signal (`flows.signals`),
and once a minute where there are rules. In between it costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from pwless_middleware.core.people.user import User, change_user
from pwless_middleware.errors import LoginDenied
from pwless_middleware.flows.logins.login_rules import LoginRules, ask_on_session
from pwless_middleware.flows.people.users import Users
from pwless_middleware.flows.sessions.session_cache import Held

ASKED_EVERY: Final = 60
"""Seconds after which the rules are asked again: they may look at what tells no signal."""


class SessionValidator:
    """Validate sessions.

    Args:
        users: loads whose they are.
        rules: those of all features.
        clock: returns unix seconds.
    """

    def __init__(self, users: Users, rules: LoginRules, clock: Callable[[], int]) -> None:
        self._users = users
        self._rules = rules
        self._clock = clock

    def surely_counts(self, held: Held) -> bool:
        """Whether a session that lives counts, by what is held of it; false says nothing."""
        return not held.is_refused and self._clock() < held.valid_until

    async def validate(self, held: Held) -> User | None:
        """Return the user of a session that lives, or `None` where it does not count.

        What was found is kept in `held`. With a table of the host the user is loaded each time.

        Args:
            held: of a session that lives; a rule may narrow it.

        Raises:
            UsersUnavailable: the user table cannot be asked.
            Unavailable: a rule cannot say it now.
        """
        now = self._clock()
        is_known = now < held.valid_until
        if is_known and (held.is_refused or held.user is not None):
            return held.user
        user = await self._users.load(held.session.user_id, held.session.email)
        if user is None and not self._users.is_held:
            return None  # a row that is not there now may be there with the next request
        if not is_known:
            held.is_refused = user is None or not await self._ask(held, user, now)
            rules = self._rules
            if user is not None and rules.memberships is not None and not held.is_refused:
                held.membership = await rules.memberships(held.session, user)
            has_rules = bool(rules.on_session) or rules.memberships is not None
            held.valid_until = now + ASKED_EVERY if has_rules else sys.maxsize
        if held.is_refused or user is None:
            return None
        if held.membership is not None:
            user = change_user(user, role=held.membership.role)
        if self._users.is_held:
            held.user = user
        return user

    async def _ask(self, held: Held, user: User, now: int) -> bool:
        """Ask the rules, and narrow the session as they say; return whether it counts."""
        try:
            policy = await ask_on_session(self._rules, held.session, user)
        except LoginDenied:
            return False
        if policy is None:
            return True
        counts = policy.admits(held.session, now)
        held.session = policy.narrow(held.session)
        return counts

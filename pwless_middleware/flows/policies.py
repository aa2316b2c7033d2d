"""What a login must come up to: what every feature says of it, together (security rule 55)."""

from __future__ import annotations

from pwless_middleware.core.login import Login
from pwless_middleware.core.policy import Policy, strictest
from pwless_middleware.flows.login_rules import LoginRules


class Policies:
    """Find the policy of a login.

    Args:
        rules: those of all features.
    """

    def __init__(self, rules: LoginRules) -> None:
        self._rules = rules

    async def of(self, login: Login) -> Policy:
        """Return what a login must come up to: the strictest of what the features say.

        Raises:
            StoreError, Unavailable: it cannot be known; nobody is let in then.
        """
        return strictest([await ask(login) for ask in self._rules.policies])

"""What the deployment asks of everybody, whichever organization they enter."""

from __future__ import annotations

from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.organizations.policy import Join, Policy, stricter
from pwless_middleware.web.kit import Kit

_NOBODY = Login(
    user_id="", email="nobody@invalid", is_new=False, authentications=(), caller="browser"
)
"""In no organization, and with an address of none (RFC 6761 section 6.4)."""


class DeploymentPolicy:
    """Find what is asked of everybody.

    Args:
        kit: the feature's.
        join: who may become a member in all organizations; `None` leaves it to each.
    """

    def __init__(self, kit: Kit, join: Join | None) -> None:
        self._kit = kit
        self._join = join

    async def find(self) -> Policy:
        """Return it.

        Raises:
            StoreError, Unavailable: it cannot be known now.
        """
        asked = await self._kit.policies.of(_NOBODY)
        record = await self._kit.settings.load()
        sessions = self._kit.settings.groups["sessions"]
        lives = sessions.values(self._kit.settings.of_group("sessions", record))
        found = (lives[name] for name in ("idle", "absolute"))
        idle, absolute = (seconds if isinstance(seconds, int) else None for seconds in found)
        return stricter(asked, Policy(idle=idle, absolute=absolute, join=self._join))

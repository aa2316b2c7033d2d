"""What `pwless check` and the dashboard say of second factors: whether their key is there."""

from __future__ import annotations

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.features.second_factors.totp.secrets import TOTPSecrets
from pwless_middleware.text import Text


class SecondFactorFindings:
    """Look at the secrets of authenticator apps.

    Args:
        secrets: as the database keeps them.
    """

    def __init__(self, secrets: TOTPSecrets) -> None:
        self._secrets = secrets

    async def find(self, *, may_ask: bool) -> list[Finding]:
        """Return what was found (`Mounted.findings`)."""
        if not may_ask or not await self._secrets.are_lost():
            return []
        text = Text(
            "no key of the list decrypts the secrets of some authenticator apps, whose codes are "
            "refused: put the secret_key back that they are encrypted under, and run "
            "“pwless rewrap”"
        )
        return [Finding("fail", "second_factors", text)]

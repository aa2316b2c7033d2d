"""What `pwless check` and the dashboard say of webhooks that do not take their events."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.database.operators.webhooks import WebhookRepository
from pwless_middleware.text import Text


class WebhookFindings:
    """Look at which webhooks fail, and which were turned off for that.

    Args:
        webhooks: keep them.
    """

    def __init__(self, webhooks: WebhookRepository) -> None:
        self._webhooks = webhooks

    async def banner(self) -> Text | None:
        """Return a line where a webhook was turned off, and no operator has seen to it."""
        off = [one for one in await self._webhooks.list() if one.off_reason in ("failing", "gone")]
        return Text("A webhook was turned off, since it did not take its events.") if off else None

    async def find(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what was found (`Mounted.findings`)."""
        found = await self._webhooks.list() if may_ask else ()
        off = sum(one.off_reason in ("failing", "gone") for one in found)
        failing = sum(one.is_on and one.failing_since is not None for one in found)
        findings = []
        if off:
            findings.append(
                Text("%(count)s webhooks were turned off, since they failed for days.", count=off)
            )
        if failing:
            findings.append(Text("%(count)s webhooks fail just now.", count=failing))
        return [Finding("warn", "webhooks", text) for text in findings]

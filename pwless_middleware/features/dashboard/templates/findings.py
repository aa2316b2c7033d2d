"""Whether every template that an operator has saved can be used, for `pwless check` and the
overview."""

from __future__ import annotations

from collections.abc import Sequence

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.features.dashboard.templates.chosen import Chosen, texts_of
from pwless_middleware.rendering.mail_templates.mails import MAILS
from pwless_middleware.text import Text


class TemplateFindings:
    """Look at the templates that are sent.

    Args:
        chosen: finds them.
    """

    def __init__(self, chosen: Chosen) -> None:
        self._templates = chosen.templates

    async def find(self, *, may_ask: bool) -> Sequence[Finding]:
        """Return what was found (`Mounted.findings`)."""
        if not may_ask:
            return []
        found, count = [], 0
        for (name, language), version in (await self._templates.newest()).items():
            stored = await self._templates.find(name, language, version.version)
            if version.is_ours or stored is None or name not in MAILS:
                continue
            count += 1
            template, faults = await self._templates.read(name, texts_of(stored))
            if template is None:
                text = Text(
                    "the template %(name)s (%(language)s) cannot be used, and the default is sent: "
                    "%(reason)s Open it in the dashboard, and save it again",
                    name=name,
                    language=language,
                    reason=faults[0].reason,
                )
                found.append(Finding("warn", "templates", text))
        if count and not found:
            text = Text("%(count)s that operators have edited can be used", count=count)
            return [Finding("ok", "templates", text)]
        return found

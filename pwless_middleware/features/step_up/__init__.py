"""Step-up: who is signed in proves once more who they are, and goes on where they were."""

from __future__ import annotations

from pwless_middleware.features.step_up.pages import StepUpPages
from pwless_middleware.web.kit import Kit, Mounted


class StepUp:
    """Mount the page, which offers what the mounted features offer (`Mounted.step_up`)."""

    def mount(self, kit: Kit) -> Mounted:
        """Return its route."""
        return Mounted(routes=StepUpPages(kit).routes)

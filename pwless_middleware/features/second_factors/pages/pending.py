"""The step that a browser's pending login is at, and the ways to do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from starlette.requests import Request

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import PendingLogin, Step
from pwless_middleware.errors import RequestExpired
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.steps import OfferedStep, StepPart, StepSubject


@dataclass(frozen=True, slots=True)
class PendingStep:
    """A pending login, and who is at it.

    Attributes:
        pending: the login.
        login_id: its handle.
        caller: the browser.
    """

    pending: PendingLogin
    login_id: str = field(repr=False)
    caller: Caller

    @classmethod
    async def of(cls, kit: Kit, request: Request, path: str) -> PendingStep:
        """Return the step of a browser's pending login.

        Args:
            kit: everything below.
            request: of the browser.
            path: of the step's page.

        Raises:
            RequestExpired: there is no pending login, or it waits for something else.
            Unavailable: it cannot be known.
        """
        caller = kit.callers.browser(request)
        login_id = caller.pending or ""
        pending = await kit.logins.pending(login_id, caller)
        if pending.steps[0].path != path:
            raise RequestExpired
        await kit.pages.write_for(request, pending.login.organization)
        return cls(pending, login_id, caller)

    @property
    def step(self) -> Step:
        """What is asked for."""
        return self.pending.steps[0]

    @property
    def subject(self) -> StepSubject:
        """Whose step it is."""
        return StepSubject.of_login(self.pending, self.login_id, self.caller)

    def list_ways(self, kit: Kit) -> Sequence[tuple[OfferedStep, StepPart]]:
        """Return the ways that satisfy it and have a part of a page, the best one first."""
        steps = {one.method.name: one for one in kit.offers.steps}
        found = [steps[name] for name in self.step.methods if name in steps]
        return [(one, one.method.page) for one in found if one.method.page is not None]

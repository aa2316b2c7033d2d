"""What operators see of a person's second factors, and how they reset them.

Nothing of a secret is shown, and of a number its end alone (security rules 43 and 62). A reset is
that of `reset.py`, with the time to object that the deployment wants: an operator cannot take it
away here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.features.second_factors.flow import SecondFactorFlow
from pwless_middleware.features.second_factors.pages.rows import BrowserRow, FactorRow
from pwless_middleware.languages.times import format_duration, format_iso, format_time
from pwless_middleware.text import Text
from pwless_middleware.web.gates.person_gate import page_of, require_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import (
    PEOPLE_PATH,
    PERSON_PATH,
    PersonPart,
    ShownPerson,
)
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

_BASE: Final = f"{PERSON_PATH}/second-factors"


class SecondFactorPart:
    """Show the part, and do what its forms ask for.

    Args:
        kit: everything below.
        flow: knows the factors, and resets them.

    Attributes:
        part: of a person's page.
        routes: where its forms go.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.part = PersonPart(
            title=Text("Second factors"),
            template="second_factors/person.html",
            show=self.show,
            done={
                "factors-reset": Text(
                    "All second factors are removed, and this person is signed out everywhere."
                ),
                "factors-reset-asked": Text(
                    "This person was told, and can object. Until then everything stays."
                ),
                "factors-reset-withdrawn": Text("Nothing is removed."),
                "browsers-forgotten": Text(
                    "This person is asked for a second factor again in every browser."
                ),
            },
            order=20,
            resets_factors=True,
        )
        self.routes = (
            Route(f"{_BASE}/reset", {"GET": self.show_reset, "POST": self.reset}),
            Route(f"{_BASE}/keep", {"POST": self.keep}),
            Route(f"{_BASE}/forget-browsers", {"POST": self.forget_browsers}),
        )

    async def show(self, request: Request, person: ShownPerson) -> Mapping[str, object]:
        """Return what the person has, and whether a reset waits."""
        now = self._kit.clock()
        state = await self._flow.own.state(person.id)
        browsers = await self._flow.browsers.list(person.id)
        return {
            "factors": [FactorRow.of(factor, now) for factor in state.factors],
            "codes": state.recovery_codes,
            "codes_left": state.recovery_codes_left,
            "browsers": [BrowserRow.of(browser, now, is_this=False) for browser in browsers],
            "has_passkey": await self._flow.own.has_passkey(person.id),
            "waiting": await self._waiting(person),
        }

    async def show_reset(self, request: Request) -> Response:
        """Say what a reset takes, and when."""
        operator = await self._kit.operators.require(request, "support")
        person = await require_person(self._kit, request, operator)
        wait = self._flow.rules().reset_wait
        return await self._kit.operators.page(
            request,
            operator,
            "second_factors/reset_person.html",
            path=PEOPLE_PATH,
            person=person,
            wait=format_duration(wait) if wait > 0 else "",
            waiting=await self._waiting(person),
        )

    async def reset(self, request: Request) -> Response:
        """Remove all of them, at once or after the time to object."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=f"{page_of(request)}/second-factors/reset"
        )
        person = await require_person(self._kit, request, operator)
        result = await self._flow.resets.reset(person.id, by=operator.by)
        word = "factors-reset" if result.due_at is None else "factors-reset-asked"
        return self._kit.pages.redirect(request, f"{person.path}?done={word}")

    async def keep(self, request: Request) -> Response:
        """Take a reset back that waits; one that is over already stays as it is."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=page_of(request)
        )
        person = await require_person(self._kit, request, operator)
        waiting = await self._flow.resets.find_open(person.id)
        if waiting is None or not await self._flow.resets.object(waiting, None, by=operator.by):
            return self._kit.pages.redirect(request, person.path)
        return self._kit.pages.redirect(request, f"{person.path}?done=factors-reset-withdrawn")

    async def forget_browsers(self, request: Request) -> Response:
        """Have the person asked for a second factor again in every browser."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=page_of(request)
        )
        person = await require_person(self._kit, request, operator)
        await self._flow.browsers.distrust_all(person.id, by=operator.by)
        return self._kit.pages.redirect(request, f"{person.path}?done=browsers-forgotten")

    async def _waiting(self, person: ShownPerson) -> Mapping[str, str] | None:
        """Return the reset that waits, in words; `None` where there is none."""
        reset = await self._flow.resets.find_open(person.id)
        if reset is None:
            return None
        return {
            "due_at": format_time(reset.due_at),
            "due_iso": format_iso(reset.due_at),
            "by": (await Makers(self._kit).name([reset.by]))[reset.by],
        }

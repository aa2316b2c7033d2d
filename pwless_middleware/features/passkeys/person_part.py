"""What operators see of a person's passkeys, and how they remove all of them.

Where another feature resets all that somebody proves themselves by, passkeys among them, that is
the one way: it may give the person a time to object, which this one would go past.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import NotFound
from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.features.passkeys.pages.account_page import PasskeyRow
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.gates.person_gate import page_of, require_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import (
    PEOPLE_PATH,
    PERSON_PATH,
    PersonPart,
    ShownPerson,
)
from pwless_middleware.web.routing.routes import Route

_RESET: Final = f"{PERSON_PATH}/passkeys/reset"


class PasskeyPart:
    """Show the part, and do what its form asks for.

    Args:
        kit: everything below.
        flow: knows the passkeys, and removes them.

    Attributes:
        part: of a person's page.
        routes: where its form goes.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.part = PersonPart(
            title=Text("Passkeys"),
            template="passkeys/person.html",
            show=self.show,
            done={"passkeys-removed": Text("All passkeys of this person are removed.")},
            order=10,
        )
        self.routes = (Route(_RESET, {"GET": self.show_reset, "POST": self.reset}),)

    @property
    def _may_reset(self) -> bool:
        """Whether passkeys are removed here, and by no reset of all factors."""
        return not any(part.resets_factors for part in self._kit.offers.person_parts)

    async def show(self, request: Request, person: ShownPerson) -> Mapping[str, object]:
        """Return the person's passkeys."""
        now, rp_id = self._kit.clock(), self._flow.party.id
        passkeys = await self._flow.own.list(person.id)
        return {
            "passkeys": [PasskeyRow.of(one, now, rp_id=rp_id) for one in passkeys],
            "may_reset": self._may_reset,
        }

    async def show_reset(self, request: Request) -> Response:
        """Say what goes."""
        operator = await self._kit.operators.require(request, "support")
        person = await self._require_person(request, operator)
        return await self._kit.operators.page(
            request,
            operator,
            "passkeys/reset_person.html",
            path=PEOPLE_PATH,
            person=person,
            passkeys=len(await self._flow.own.list(person.id)),
        )

    async def reset(self, request: Request) -> Response:
        """Remove all of them, and tell the person."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=f"{page_of(request)}/passkeys/reset"
        )
        person = await self._require_person(request, operator)
        await self._flow.own.reset(person.id, by=operator.by)
        return self._kit.pages.redirect(request, f"{person.path}?done=passkeys-removed")

    async def _require_person(self, request: Request, operator: Operator) -> ShownPerson:
        if not self._may_reset:
            raise NotFound
        return await require_person(self._kit, request, operator)

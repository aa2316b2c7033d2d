"""What operators see of a person's address, and how they ask for another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.core.operators.operator import covers
from pwless_middleware.core.people.user import User
from pwless_middleware.errors import ApiError, InvalidArgument, NotPermitted, RateLimited
from pwless_middleware.flows.people.address_requests import AddressRequests
from pwless_middleware.languages.times import format_iso, format_time
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
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

_BASE: Final = f"{PERSON_PATH}/address"


class RequestedAddress:
    """Show the part of a person's page, and do what its forms ask for.

    Args:
        kit: everything below.
        requests: asks for changes.

    Attributes:
        part: of a person's page.
        routes: where its forms go.
    """

    def __init__(self, kit: Kit, requests: AddressRequests) -> None:
        self._kit = kit
        self._requests = requests
        self.part = PersonPart(
            title=Text("Email address"),
            template="email_login/person.html",
            show=self.show,
            done={
                "address-asked": Text(
                    "An email is on its way to the new address, which has to confirm it."
                ),
                "address-withdrawn": Text("The address stays as it is."),
            },
            order=5,
        )
        self.routes = (
            Route(_BASE, {"GET": self.show_form, "POST": self.ask}),
            Route(f"{_BASE}/withdraw", {"POST": self.withdraw}),
        )

    async def show(self, request: Request, person: ShownPerson) -> Mapping[str, object] | None:
        """Return what waits to be confirmed; nothing for who is not in the table."""
        if not person.email:
            return None
        asked = await self._requests.find_open(person.id)
        if asked is None:
            return {"waiting": None}
        until = asked.confirm_until
        waiting = {
            "new": asked.new,
            "by": (await Makers(self._kit).name([asked.by]))[asked.by],
            "until": format_time(until),
            "until_iso": format_iso(until),
        }
        return {"waiting": waiting}

    async def show_form(self, request: Request) -> Response:
        """Ask for the new address, and say what happens."""
        operator = await self._kit.operators.require(request, "support")
        person = await require_person(self._kit, request, operator)
        return await self._page(request, operator, person)

    async def ask(self, request: Request) -> Response:
        """Mail the link that confirms it."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=f"{page_of(request)}/address"
        )
        person = await require_person(self._kit, request, operator)
        typed = (await read_form(request)).get("email", "")
        try:
            await self._check_role(operator, person, typed)
            user = User(id=person.id, email=person.email, language=person.language)
            await self._requests.ask(user, typed, by=operator.by)
        except (InvalidArgument, RateLimited) as error:
            return await self._page(request, operator, person, typed=typed, error=error)
        return self._kit.pages.redirect(request, f"{person.path}?done=address-asked")

    async def withdraw(self, request: Request) -> Response:
        """Take back what waits; where nothing does any more, the page says what there is."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=page_of(request)
        )
        person = await require_person(self._kit, request, operator)
        done = await self._requests.withdraw(person.id, by=operator.by)
        query = "?done=address-withdrawn" if done else ""
        return self._kit.pages.redirect(request, f"{person.path}{query}")

    async def _check_role(self, operator: Operator, person: ShownPerson, typed: str) -> None:
        """Refuse an address that makes an operator who may do more than this one.

        Operators of the code are known by their addresses: a person of somebody's own, moved to
        one of those, would have a way in there that nobody has given them (security rule 63).
        """
        address = parse_address(typed)
        if address is None:
            return
        role = await self._kit.operators.role_of(User(id=person.id, email=address))
        if role is not None and not covers(operator.role, role):
            raise NotPermitted(_OPERATOR)

    async def _page(
        self,
        request: Request,
        operator: Operator,
        person: ShownPerson,
        *,
        typed: str = "",
        error: ApiError | None = None,
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            "email_login/change_address.html",
            path=PEOPLE_PATH,
            status=error.status if error is not None else 200,
            retry_after=error.retry_after if error is not None else None,
            person=person,
            typed=typed,
            error=public_message(error) if error is not None else "",
        )


_OPERATOR: Final = Text("This is the address of an operator who may do more than you.")

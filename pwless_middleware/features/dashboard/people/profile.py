"""Set what a person is called, and the language of their pages and emails."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.people.person import MAX_NAME
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.flows.people.people import People
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.names import name_of
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.gates.person_gate import page_of, require_person
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import PEOPLE_PATH, PERSON_PATH, ShownPerson
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route


class ProfilePage:
    """Show the form, and keep what is typed.

    Args:
        kit: everything below.
        people: changes people.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._people = people
        self.routes = (Route(f"{PERSON_PATH}/profile", {"GET": self.show, "POST": self.save}),)

    async def show(self, request: Request) -> Response:
        """Show the form."""
        operator = await self._kit.operators.require(request, "support")
        person = await require_person(self._kit, request, operator)
        values = {"name": person.name, "language": person.language}
        return await self._page(request, operator, person, values)

    async def save(self, request: Request) -> Response:
        """Keep name and language."""
        operator = await self._kit.operators.require_change(
            request, role="support", back=f"{page_of(request)}/profile"
        )
        person = await require_person(self._kit, request, operator)
        form = await read_form(request)
        try:
            await self._people.set_profile(
                person.id, name=form.get("name"), language=form.get("language"), by=operator.by
            )
        except InvalidArgument as error:
            return await self._page(request, operator, person, form, error)
        return self._kit.pages.redirect(request, f"{person.path}?done=profile")

    async def _page(
        self,
        request: Request,
        operator: Operator,
        person: ShownPerson,
        values: Mapping[str, str],
        error: InvalidArgument | None = None,
    ) -> Response:
        codes = self._kit.languages.codes
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/people/profile.html",
            path=PEOPLE_PATH,
            status=error.status if error is not None else 200,
            person=person,
            called=values.get("name", ""),
            chosen=values.get("language", ""),
            languages=[("", translate(Text("None chosen"))), *((c, name_of(c)) for c in codes)],
            most=MAX_NAME,
            error=public_message(error) if error is not None else "",
            error_field=error.violations[0].field if error is not None else "",
        )

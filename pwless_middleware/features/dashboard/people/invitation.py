"""Invite somebody: they are made, and told by an email where to sign in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.people.person import MAX_NAME
from pwless_middleware.errors import ApiError, InvalidArgument, RateLimited
from pwless_middleware.flows.people.people import People
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.names import name_of
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.person_parts import PEOPLE_PATH, person_path
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.responses import public_message
from pwless_middleware.web.routing.routes import Route

PATH: Final = f"{PEOPLE_PATH}/invite"


class InvitationPage:
    """Show the form, and invite whoever is typed.

    Args:
        kit: everything below.
        people: makes and invites people.
    """

    def __init__(self, kit: Kit, people: People) -> None:
        self._kit = kit
        self._people = people
        self.routes = (Route(PATH, {"GET": self.show, "POST": self.invite}),)

    async def show(self, request: Request) -> Response:
        """Show the form."""
        operator = await self._kit.operators.require(request, "support")
        return await self._page(request, operator, {})

    async def invite(self, request: Request) -> Response:
        """Make the person where there is none, and queue the email."""
        operator = await self._kit.operators.require_change(request, role="support", back=PATH)
        form = await read_form(request)
        try:
            person = await self._people.invite(
                form.get("email", ""),
                name=form.get("name", ""),
                language=form.get("language", ""),
                by=operator.by,
            )
        except (InvalidArgument, RateLimited) as error:
            return await self._page(request, operator, form, error)
        return self._kit.pages.redirect(request, f"{person_path(person.id)}?done=invited")

    async def _page(
        self,
        request: Request,
        operator: Operator,
        values: Mapping[str, str],
        error: ApiError | None = None,
    ) -> Response:
        codes = self._kit.languages.codes
        field = error.violations[0].field if isinstance(error, InvalidArgument) else "email"
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/people/invite.html",
            path=PEOPLE_PATH,
            status=error.status if error is not None else 200,
            retry_after=error.retry_after if error is not None else None,
            email=values.get("email", ""),
            called=values.get("name", ""),
            chosen=values.get("language", ""),
            languages=[("", translate(Text("None chosen"))), *((c, name_of(c)) for c in codes)],
            most=MAX_NAME,
            errors={field: public_message(error)} if error is not None else {},
        )

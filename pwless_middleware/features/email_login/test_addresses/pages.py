"""The page of test addresses in the dashboard: which there are, and what an admin makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.test_address import TestAddress
from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.session import DAY
from pwless_middleware.errors import InvalidArgument, NotFound
from pwless_middleware.features.email_login.test_addresses.changes import (
    NewTestAddress,
    TestAddressChanges,
)
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import DashboardPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/dashboard/test-addresses"
LIVES: Final[Mapping[str, tuple[int, Text]]] = {
    "day": (DAY, Text("In a day")),
    "week": (7 * DAY, Text("In a week")),
    "month": (30 * DAY, Text("In 30 days")),
    "quarter": (90 * DAY, Text("In 90 days")),
}
"""How long one lives: seconds, and words."""

_DONE: Final[Mapping[str, Text]] = {
    "extended": Text("It ends at another time now."),
    "removed": Text("It is no test address any more, and is signed out everywhere."),
}
_QUERY: Final = Fields({"done": Field(about="What was done.", longest=20)})
_ID_QUERY: Final = Fields({"id": Field(about="Its id.", required=True, longest=16)})
_BETWEEN: Final = re.compile(r"[\s,]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestAddressRow:
    """One line; the times as people read them, and as machines do.

    Attributes:
        id: its id.
        email: its address.
        note: what it is for.
        networks: from where it works; empty for everywhere.
        is_live: whether it opens anything.
        ends_at, ends_iso, used_at, used_iso: the times; empty for never.
    """

    __test__ = False  # its name is a noun to pytest, too

    id: str
    email: str
    note: str
    networks: tuple[str, ...]
    is_live: bool
    ends_at: str
    ends_iso: str
    used_at: str
    used_iso: str


class TestAddressPages:
    """Show the pages, and do what their forms ask for.

    Args:
        kit: everything below.
        changes: make, change and remove them.
    """

    __test__ = False

    def __init__(self, kit: Kit, changes: TestAddressChanges) -> None:
        self._kit = kit
        self._changes = changes
        self.routes = (
            Route(PATH, {"GET": self.show, "POST": self.add}),
            Route(f"{PATH}/address", {"GET": self.show_one}),
            Route(f"{PATH}/code", {"POST": self.renew_code}),
            Route(f"{PATH}/extend", {"POST": self.extend}),
            Route(f"{PATH}/remove", {"POST": self.remove}),
        )
        self.page = DashboardPage(
            title=Text("Test addresses"),
            path=PATH,
            order=750,
            group=Text("Access"),
            icon="test",
            key="x",
        )

    async def show(self, request: Request) -> Response:
        """List them, by address."""
        operator = await self._kit.operators.require(request)
        done = read_query(request, _QUERY).get("done") or ""
        return await self._page(request, operator, {}, done=done)

    async def add(self, request: Request) -> Response:
        """Make one, and show its code this once."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        form = await read_form(request)
        networks = [one for one in _BETWEEN.split(form.get("networks", "")) if one]
        try:
            made = await self._changes.add(
                form.get("email", ""),
                expires_in=_life_of(form),
                networks=networks,
                note=form.get("note", ""),
                by=operator.by,
            )
        except InvalidArgument as error:
            return await self._page(request, operator, form, error=error)
        return await self._show_once(request, operator, made)

    async def show_one(self, request: Request) -> Response:
        """Show one, and what can be done to it."""
        operator = await self._kit.operators.require(request, "admin")
        id = read_query(request, _ID_QUERY).get("id") or ""
        return await self._one_page(request, operator, id)

    async def renew_code(self, request: Request) -> Response:
        """Give one another code, and show it this once."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        id = (await read_form(request)).get("id", "")
        try:
            made = await self._changes.renew_code(id, by=operator.by)
        except InvalidArgument:
            raise _no_such() from None
        return await self._show_once(request, operator, made)

    async def extend(self, request: Request) -> Response:
        """Let one end at another time."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        form = await read_form(request)
        id = form.get("id", "")
        try:
            await self._changes.extend(id, expires_in=_life_of(form), by=operator.by)
        except InvalidArgument as error:
            return await self._one_page(request, operator, id, error)
        return self._kit.pages.redirect(request, f"{PATH}?done=extended")

    async def remove(self, request: Request) -> Response:
        """Forget one, and sign its user out everywhere."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        id = (await read_form(request)).get("id", "")
        if not await self._changes.remove(id, by=operator.by):
            raise _no_such()
        return self._kit.pages.redirect(request, f"{PATH}?done=removed")

    async def _show_once(
        self, request: Request, operator: Operator, made: NewTestAddress
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/test_address_made.html",
            path=PATH,
            row=self._row(made.address),
            code=made.code,
            link=made.link,
        )

    async def _page(
        self,
        request: Request,
        operator: Operator,
        form: Mapping[str, str],
        *,
        error: InvalidArgument | None = None,
        done: str = "",
    ) -> Response:
        addresses = await self._changes.list()
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/test_addresses.html",
            path=PATH,
            status=error.status if error else 200,
            addresses=[self._row(one) for one in addresses],
            form={
                "email": form.get("email", ""),
                "note": form.get("note", ""),
                "networks": form.get("networks", ""),
                "life": form.get("life", "month"),
            },
            lives=_choices(),
            problems=_problems(error),
            notice=translate(_DONE[done]) if done in _DONE else None,
        )

    async def _one_page(
        self, request: Request, operator: Operator, id: str, error: InvalidArgument | None = None
    ) -> Response:
        found = await self._changes.find(id)
        if found is None:
            raise _no_such()
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/test_address.html",
            path=PATH,
            status=error.status if error else 200,
            row=self._row(found),
            lives=_choices(),
            problem=translate(error.violations[0].description) if error else None,
        )

    def _row(self, address: TestAddress) -> TestAddressRow:
        used = address.used_at
        return TestAddressRow(
            id=address.id,
            email=address.email,
            note=address.note,
            networks=address.networks,
            is_live=address.is_live(self._kit.clock()),
            ends_at=format_time(address.ends_at),
            ends_iso=format_iso(address.ends_at),
            used_at="" if used is None else format_time(used),
            used_iso="" if used is None else format_iso(used),
        )


def _life_of(form: Mapping[str, str]) -> int:
    """Return the seconds of the life that a form names; 0, which is none, for one there is not."""
    chosen = LIVES.get(form.get("life", ""))
    return 0 if chosen is None else chosen[0]


def _choices() -> Sequence[tuple[str, str]]:
    return [(word, translate(text)) for word, (_, text) in LIVES.items()]


def _problems(error: InvalidArgument | None) -> dict[str, str]:
    """Return what is said beside each field; empty for nothing."""
    said = dict.fromkeys(("email", "note", "networks", "expires_in"), "")
    if error is not None:
        said |= {one.field: translate(one.description) for one in error.violations}
    return said


def _no_such() -> NotFound:
    return NotFound(Text("There is no such test address."))

"""The pages of operators: who they are, and what an admin can do about it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, cast

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.operators.operator import ROLES, covers
from pwless_middleware.core.operators.stored_operator import StoredOperator
from pwless_middleware.errors import InvalidArgument, NotFound, StoreError
from pwless_middleware.features.dashboard.operators.changes import OperatorChanges
from pwless_middleware.features.dashboard.operators.findings import OperatorFindings
from pwless_middleware.features.dashboard.operators.mails import OperatorMails
from pwless_middleware.features.dashboard.operators.names import MEANINGS, NAMES
from pwless_middleware.features.dashboard.operators.rows import OperatorRows
from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.flows.operators.operator_roles import OperatorRoles
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.offers import DashboardPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories

logger = logging.getLogger("pwless.dashboard")

PATH: Final = "/dashboard/operators"
NOBODY: Final = "nobody may use the dashboard: run `pwless operator add ADDRESS`"
"""What is said where there are no operators."""
PAGE: Final = 50
"""Those who were operators, on one page."""

_DONE: Final[Mapping[str, Text]] = {
    "added": Text("They are an operator now. All admins are told by mail."),
    "lowered": Text("Their role is changed, and holds at once."),
    "removed": Text("They are no operator any more."),
}
"""What the page says after a form has done its work, by what the query says."""
_ID: Final = Field(about="A user's id.", longest=1000)
_QUERY: Final = Fields({"after": _ID, "done": Field(about="What was done.", longest=20)})
_CHANGE_QUERY: Final = Fields({"id": _ID})


class OperatorPages:
    """Show operators; add, lower and remove them.

    Args:
        kit: everything below.
        options: the dashboard's.

    Attributes:
        roles: which hold, in every process.
        mails: tell admins.
        changes: of those in the database.
    """

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        self._kit = kit
        kept = cast("Repositories", kit.repositories)  # which the dashboard has made sure of
        self.roles = OperatorRoles(kept.operators, kit.signals, options.operators)
        self.mails = OperatorMails(kit, kept.operators, self.roles)
        self.changes = OperatorChanges(kit, kept, self.roles, self.mails)
        self._rows = OperatorRows(kit, self.roles)
        if kit.people is not None:
            kit.people.add_removal_check(self.changes.removal)

    def mount(self) -> Mounted:
        """Return the routes, the page and the mails."""
        return Mounted(
            routes=(
                Route(PATH, {"GET": self.show, "POST": self.add}),
                Route(f"{PATH}/change", {"GET": self.show_change}),
                Route(f"{PATH}/lower", {"POST": self.lower}),
                Route(f"{PATH}/remove", {"POST": self.remove}),
            ),
            dashboard_pages=(
                DashboardPage(
                    title=Text("Operators"),
                    path=PATH,
                    order=900,
                    group=Text("Access"),
                    icon="operators",
                    key="o",
                ),
            ),
            jobs=self.mails.readers,
            findings=(OperatorFindings(self.changes, self.roles).find,),
            lifespan=None if self.roles.in_code else self.note_nobody,
        )

    @asynccontextmanager
    async def note_nobody(self) -> AsyncIterator[None]:
        """Say at the start where nobody may use the dashboard, and how somebody may."""
        with suppress(StoreError):  # which is told by whoever needs it
            if not await self.changes.list():
                logger.warning("%s", NOBODY, extra={"event": "no_operator"})
        yield

    async def show(self, request: Request) -> Response:
        """List them: those of the code first, and those who were operators last."""
        operator = await self._kit.operators.require(request)
        return await self._page(request, operator)

    async def add(self, request: Request) -> Response:
        """Make somebody an operator who is none, with no more than they had before."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        form = await read_form(request)
        email, role = form.get("email", ""), form.get("role", "")
        try:
            # What is no role is refused there.
            found = next((one for one in ROLES if one == role), None)
            if found is None:
                raise InvalidArgument.of("role", Text("Choose one of the roles."), "enum")
            await self.changes.add(email, found, by=operator.by, may_raise=False)
        except InvalidArgument as error:
            return await self._page(request, operator, error=error, email=email, role=role)
        return self._kit.pages.redirect(request, f"{PATH}?done=added")

    async def show_change(self, request: Request) -> Response:
        """Show one operator, and what can be done to them."""
        operator = await self._kit.operators.require(request, "admin")
        query = read_query(request, _CHANGE_QUERY)
        return await self._change_page(request, operator, query.get("id") or "")

    async def lower(self, request: Request) -> Response:
        """Give an operator a role that holds less."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        form = await read_form(request)
        user_id, role = form.get("id", ""), form.get("role", "")
        try:
            found = next((one for one in ROLES if one == role), None)
            if found is None:
                raise InvalidArgument.of("role", Text("Choose one of the roles."), "enum")
            await self.changes.lower(user_id, found, by=operator.by)
        except InvalidArgument as error:
            return await self._change_page(request, operator, user_id, error=error)
        return self._kit.pages.redirect(request, f"{PATH}?done=lowered")

    async def remove(self, request: Request) -> Response:
        """Let somebody be an operator no more."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        user_id = (await read_form(request)).get("id", "")
        try:
            await self.changes.remove(user_id, by=operator.by)
        except InvalidArgument as error:
            return await self._change_page(request, operator, user_id, error=error)
        if user_id == operator.user.id and self.roles.role_in_code(operator.user.email) is None:
            return self._kit.pages.redirect(request, "/account")  # the dashboard is closed to them
        return self._kit.pages.redirect(request, f"{PATH}?done=removed")

    async def _page(
        self,
        request: Request,
        operator: Operator,
        *,
        error: InvalidArgument | None = None,
        email: str = "",
        role: str = "view",
    ) -> Response:
        query = read_query(request, _QUERY) if error is None else None
        after = (query.get("after") if query is not None else None) or ""
        done = (query.get("done") if query is not None else None) or ""
        gone = await self.changes.list_removed(after=after, limit=PAGE + 1)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/operators.html",
            path=PATH,
            status=error.status if error else 200,
            operators=await self._rows.list_all(await self.changes.list(), operator),
            gone=await self._rows.list_removed(gone[:PAGE]),
            next_gone=gone[PAGE - 1].user_id if len(gone) > PAGE else "",
            is_first=not after,
            roles=_choices(ROLES),
            meanings=[(translate(NAMES[one]), translate(MEANINGS[one])) for one in ROLES],
            email=email,
            role_chosen=role,
            notice=translate(_DONE[done]) if done in _DONE else None,
            email_problem=_problem(error, "email"),
            role_problem=_problem(error, "role"),
        )

    async def _change_page(
        self,
        request: Request,
        operator: Operator,
        user_id: str,
        *,
        error: InvalidArgument | None = None,
    ) -> Response:
        stored = await self._find(user_id)
        (row,) = await self._rows.list_stored([stored], operator)
        lesser = [one for one in ROLES if one != stored.role and covers(stored.role, one)]
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/operator.html",
            path=PATH,
            status=error.status if error else 200,
            row=row,
            roles=_choices(lesser),
            problem=translate(error.violations[0].description) if error else None,
        )

    async def _find(self, user_id: str) -> StoredOperator:
        stored = await self.changes.find(user_id)
        if stored is None:
            raise NotFound(Text("They are no operator any more."))
        return stored


def _choices(roles: Sequence[str]) -> list[tuple[str, str]]:
    return [(role, translate(NAMES[role])) for role in ROLES if role in roles]


def _problem(error: InvalidArgument | None, field: str) -> str:
    """Return what is said beside a field; empty for nothing."""
    if error is None or error.violations[0].field != field:
        return ""
    return translate(error.violations[0].description)

"""The page of API keys: which there are, and what an admin makes, rotates and revokes.

A key is shown once, in the answer to the form that has made it, and never again (security rule 62).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.session import DAY
from pwless_middleware.core.operators.api_key import SCOPES, ApiKey, check_key_name
from pwless_middleware.errors import ConfigError, InvalidArgument, NotFound
from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.flows.operators.api_keys import ApiKeys, NewApiKey
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit, Mounted
from pwless_middleware.web.parts.offers import DashboardPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.database.repositories import Repositories

PATH: Final = "/dashboard/api-keys"
PAGE: Final = 50

LIVES: Final[Mapping[str, tuple[int | None, Text]]] = {
    "month": (30 * DAY, Text("In 30 days")),
    "quarter": (90 * DAY, Text("In 90 days")),
    "year": (365 * DAY, Text("In a year")),
    "never": (None, Text("Never")),
}
"""How long a new key lives: seconds, `None` for no end, and words."""
OVERLAPS: Final[Mapping[str, tuple[int, Text]]] = {
    "none": (0, Text("At once")),
    "hour": (3600, Text("In an hour")),
    "day": (DAY, Text("In a day")),
    "week": (7 * DAY, Text("In a week")),
    "month": (30 * DAY, Text("In 30 days")),
}
"""How long a key goes on that is rotated: seconds, and words."""

_AFTER: Final = re.compile(r"([A-Za-z0-9_.-]{1,40})~([0-9]{1,9})")
_QUERY: Final = Fields(
    {
        "after": Field(about="Name and generation of the last key.", longest=50),
        "done": Field(about="What was done.", longest=20),
    }
)
_NAME_QUERY: Final = Fields({"name": Field(about="A name.", required=True, longest=40)})


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One line.

    Attributes:
        name: of the backend that has it.
        id: its public part; empty of one in the code.
        scopes: what it may do; empty of one in the code, which may do everything.
        state: `live`, `expired`, `revoked` or `fixed`.
        created_at, created_iso, used_at, used_iso, ends_at, ends_iso: the times as people read
            them, and as machines do; empty for none.
        by: who has made it.
    """

    name: str
    id: str = ""
    scopes: tuple[str, ...] = ()
    state: str
    created_at: str = ""
    created_iso: str = ""
    used_at: str = ""
    used_iso: str = ""
    ends_at: str = ""
    ends_iso: str = ""
    by: str = ""


class ApiKeyPages:
    """Show the keys; make, rotate and revoke them.

    Args:
        kit: everything below.
        options: the dashboard's.
    """

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        self._kit = kit
        kept = cast("Repositories", kit.repositories)  # which the dashboard has made sure of
        self._in_code = sorted(kit.callers.servers.names_in_code)
        self._keys = ApiKeys(
            kept.api_keys,
            events=kit.events,
            signals=kit.signals,
            clock=kit.clock,
            names_in_code=self._in_code,
        )
        self._makers = Makers(kit)

    def mount(self) -> Mounted:
        """Return the routes and the page."""
        return Mounted(
            routes=(
                Route(PATH, {"GET": self.show, "POST": self.create}),
                Route(f"{PATH}/key", {"GET": self.show_key}),
                Route(f"{PATH}/rotate", {"POST": self.rotate}),
                Route(f"{PATH}/revoke", {"POST": self.revoke}),
            ),
            dashboard_pages=(
                DashboardPage(
                    title=Text("API keys"),
                    path=PATH,
                    order=700,
                    group=Text("Access"),
                    icon="keys",
                    key="k",
                ),
            ),
        )

    async def show(self, request: Request) -> Response:
        """List the keys: those of the code first, the others by name."""
        operator = await self._kit.operators.require(request)
        return await self._page(request, operator, {})

    async def create(self, request: Request) -> Response:
        """Make a key, and show it this once."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        form = await read_form(request)
        try:
            made = await self._create(form, by=operator.by)
        except InvalidArgument as error:
            return await self._page(request, operator, form, error)
        return await self._show_once(request, operator, made)

    async def show_key(self, request: Request) -> Response:
        """Show all keys of a name, and what can be done to them."""
        operator = await self._kit.operators.require(request, "admin")
        name = read_query(request, _NAME_QUERY).get("name") or ""
        return await self._name_page(request, operator, name)

    async def rotate(self, request: Request) -> Response:
        """Make another key of a name, and show it this once."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        form = await read_form(request)
        name, overlap = form.get("name", ""), form.get("overlap", "")
        try:
            if overlap not in OVERLAPS:
                raise _refuse("overlap", Text("Choose when the old key ends."))
            made = await self._keys.rotate(name, overlap=OVERLAPS[overlap][0], by=operator.by)
        except InvalidArgument as error:
            return await self._name_page(request, operator, name, error)
        except ConfigError:
            return await self._name_page(request, operator, name, _over())
        return await self._show_once(request, operator, made, ends=OVERLAPS[overlap][1])

    async def revoke(self, request: Request) -> Response:
        """End all keys of a name for ever."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        name = (await read_form(request)).get("name", "")
        try:
            await self._keys.revoke(name, by=operator.by)
        except ConfigError:
            raise NotFound(Text("There is no such key.")) from None
        return self._kit.pages.redirect(request, f"{PATH}?done=revoked")

    async def _create(self, form: Mapping[str, str], *, by: str) -> NewApiKey:
        name, life = form.get("name", "").strip(), form.get("life", "")
        scopes = [scope for scope in SCOPES if form.get(f"scope-{scope}")]
        try:
            check_key_name("name", name)
        except ConfigError:
            text = Text("Name it by 1 to 40 letters, digits, dashes, underscores and dots.")
            raise _refuse("name", text) from None
        if not scopes:
            raise _refuse("scopes", Text("Choose at least one."))
        if life not in LIVES:
            raise _refuse("life", Text("Choose when it ends."))
        try:
            return await self._keys.create(name, scopes=scopes, expires_in=LIVES[life][0], by=by)
        except ConfigError:  # all else was looked at
            text = Text("This name is taken, and is never given again. Rotate that key instead.")
            raise _refuse("name", text) from None

    async def _show_once(
        self, request: Request, operator: Operator, made: NewApiKey, *, ends: Text | None = None
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/api_key_made.html",
            path=PATH,
            key=made.text,
            key_name=made.key.name,
            scopes=_scopes(made.key.scopes),
            ends=translate(ends) if ends is not None else "",
            notice=translate(Text("The key is made.")),
        )

    async def _page(
        self,
        request: Request,
        operator: Operator,
        form: Mapping[str, str],
        error: InvalidArgument | None = None,
    ) -> Response:
        query = read_query(request, _QUERY) if error is None else None
        after = (query.get("after") if query is not None else None) or ""
        keys = await self._keys.list(after=_read_after(after), limit=PAGE + 1)
        rows = await self._rows(keys[:PAGE])
        if not after:
            rows = [*(KeyRow(name=name, state="fixed") for name in self._in_code), *rows]
        last = keys[PAGE - 1] if len(keys) > PAGE else None
        is_revoked = query is not None and query.get("done") == "revoked"
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/api_keys.html",
            path=PATH,
            status=error.status if error else 200,
            keys=rows,
            is_first=not after,
            next_after=f"{last.name}~{last.generation}" if last else "",
            scopes=_scopes(tuple(SCOPES)),
            chosen=[scope for scope in SCOPES if form.get(f"scope-{scope}")],
            key_name=form.get("name", ""),
            lives=[(word, translate(text)) for word, (_, text) in LIVES.items()],
            life=form.get("life", "year"),
            problems=_problems(error),
            notice=translate(Text("The key opens nothing any more.")) if is_revoked else None,
        )

    async def _name_page(
        self,
        request: Request,
        operator: Operator,
        name: str,
        error: InvalidArgument | None = None,
    ) -> Response:
        keys = await self._keys.of_name(name)
        if not keys:
            raise NotFound(Text("There is no such key."))
        rows = await self._rows(keys)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/api_key.html",
            path=PATH,
            status=error.status if error else 200,
            key_name=name,
            keys=rows,
            is_over=rows[0].state == "revoked",
            overlaps=[(word, translate(text)) for word, (_, text) in OVERLAPS.items()],
            problem=translate(error.violations[0].description) if error else None,
        )

    async def _rows(self, keys: Sequence[ApiKey]) -> list[KeyRow]:
        makers = await self._makers.name(key.by for key in keys)
        now = self._kit.clock()
        return [
            KeyRow(
                name=key.name,
                id=key.id,
                scopes=key.scopes,
                state=_state(key, now),
                created_at=format_time(key.created_at),
                created_iso=format_iso(key.created_at),
                used_at="" if key.used_at is None else format_time(key.used_at),
                used_iso="" if key.used_at is None else format_iso(key.used_at),
                ends_at="" if key.expires_at is None else format_time(key.expires_at),
                ends_iso="" if key.expires_at is None else format_iso(key.expires_at),
                by=makers[key.by],
            )
            for key in keys
        ]


def _state(key: ApiKey, now: int) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "live" if key.is_alive(now) else "expired"


def _scopes(scopes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return scopes with what each allows, in words."""
    return [(scope, translate(SCOPES[scope])) for scope in scopes if scope in SCOPES]


def _read_after(after: str) -> tuple[str, int]:
    """Return the place in the list that a cursor stands for.

    Raises:
        InvalidArgument: it is none of ours.
    """
    if not after:
        return "", 0
    found = _AFTER.fullmatch(after)
    if found is None:
        raise InvalidArgument.of("after", Text("This is no place in the list."), "cursor")
    return found[1], int(found[2])


def _problems(error: InvalidArgument | None) -> dict[str, str]:
    """Return what is said beside each field; empty for nothing."""
    said = dict.fromkeys(("name", "scopes", "life"), "")
    if error is not None:
        said |= {one.field: translate(one.description) for one in error.violations}
    return said


def _refuse(field: str, problem: Text) -> InvalidArgument:
    return InvalidArgument.of(field, problem, "api_key")


def _over() -> InvalidArgument:
    return _refuse("name", Text("This key was revoked. Make one of another name."))

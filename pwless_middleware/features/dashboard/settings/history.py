"""What was changed of the settings, by whom, and the way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.settings import SettingChange
from pwless_middleware.errors import ConfigError, NotFound
from pwless_middleware.features.dashboard.settings.effects import Effect, describe
from pwless_middleware.features.dashboard.settings.plan import Plan, read_version
from pwless_middleware.flows.settings.settings import Settings
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/dashboard/settings"
PAGE: Final = 25
"""Changes of one page."""
_QUERY: Final = Fields(
    {"before": Field(kind="integer", about="A version: older ones.", least=1, most=999_999_999)}
)

Confirm = Callable[[Request, Operator, Plan, Sequence[SettingChange]], Awaitable[Response]]
"""Returns the page that says what a change does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One change.

    Attributes:
        version: of the settings that it made.
        at, iso: when.
        by: who made it, in words.
        effects: each setting that it changed.
        is_newest: whether it is what holds.
    """

    version: int
    at: str
    iso: str
    by: str
    effects: Sequence[Effect]
    is_newest: bool


class SettingsHistory:
    """Show what was changed, and lead back.

    Args:
        kit: everything below.
        settings: what was changed of them.
        confirm: returns the page that is asked before a change.
    """

    def __init__(self, kit: Kit, settings: Settings, confirm: Confirm) -> None:
        self._kit = kit
        self._settings = settings
        self._makers = Makers(kit)
        self._confirm = confirm
        self.routes = (
            Route(f"{PATH}/history", {"GET": self.show}),
            Route(f"{PATH}/history/{{version}}", {"GET": self.look_back}),
        )

    async def show(self, request: Request) -> Response:
        """List changes, the newest first."""
        operator = await self._kit.operators.require(request)
        before = read_query(request, _QUERY).integer("before") or 0
        newest = (await self._kit.settings.load()).version
        found = await self._settings.history(before=before, limit=PAGE + 1)
        page = found[:PAGE]
        names = await self._makers.name(one.by for one in page)
        rows = [
            HistoryRow(
                version=one.version,
                at=format_time(one.at),
                iso=format_iso(one.at),
                by=names[one.by],
                effects=describe(one.changes, self._kit.settings.groups),
                is_newest=one.version == newest,
            )
            for one in page
        ]
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/settings/history.html",
            path=PATH,
            rows=rows,
            is_first=before == 0,
            older=page[-1].version if len(found) > PAGE else None,
        )

    async def look_back(self, request: Request) -> Response:
        """Show what would change if an earlier version held again."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=f"{PATH}/history"
        )
        version = read_version(request.path_params["version"])
        plan = Plan(seen=(await self._kit.settings.load()).version, version=version)
        try:
            changes = await self._settings.revert(version, by=operator.by, dry_run=True)
        except ConfigError:
            raise NotFound from None
        return await self._confirm(request, operator, plan, changes)

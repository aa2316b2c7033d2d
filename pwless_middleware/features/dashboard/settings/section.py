"""The pages of settings: all of them, a group's form, what a change would do, and the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.operators.settings import (
    SettingChange,
    SettingsConflict,
    SettingsRecord,
)
from pwless_middleware.errors import ConfigError, NotFound
from pwless_middleware.features.dashboard.section import DashboardOptions
from pwless_middleware.features.dashboard.settings.brand import BrandPreview
from pwless_middleware.features.dashboard.settings.effects import (
    describe,
    find_setting,
    name_setting,
    text_of,
)
from pwless_middleware.features.dashboard.settings.fields import (
    InvalidSettings,
    SettingField,
    make_fields,
    read_changes,
)
from pwless_middleware.features.dashboard.settings.history import SettingsHistory
from pwless_middleware.features.dashboard.settings.plan import Plan, read_version
from pwless_middleware.flows.settings.live_settings import LiveSettings
from pwless_middleware.flows.settings.settings import Settings
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

PATH: Final = "/dashboard/settings"
MOST_BYTES: Final = 512 * 1024
"""Of a form: an allow list may have a thousand addresses."""
MOST_FIELDS: Final = 200
_LAST: Final = ("sessions", "brand", "languages")
"""The groups of the product itself, which stand behind those of the features."""
_DONE: Final = Text("The change holds now.")
_QUERY: Final = Fields({"done": Field(about="What was done.", longest=20)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One group of settings on the page of all.

    Attributes:
        name: as whole names begin.
        title: what people call it.
        fields: its settings.
    """

    name: str
    title: str
    fields: Sequence[SettingField]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """One setting that somebody else has changed meanwhile.

    Attributes:
        title: what people call it.
        seen: what was shown, in words.
        now: what holds, in words.
        by: who set it, in words.
        at, iso: when.
    """

    title: str
    seen: str
    now: str
    by: str
    at: str
    iso: str


class SettingsSection:
    """Show the settings, and change them.

    Args:
        kit: everything below.
        options: the dashboard's.
    """

    def __init__(self, kit: Kit, options: DashboardOptions) -> None:
        self._kit = kit
        self._settings = Settings(
            kit.settings, events=kit.events, signals=kit.signals, clock=kit.clock
        )
        self._makers = Makers(kit)
        self._history = SettingsHistory(kit, self._settings, self.confirm)
        self._brand = BrandPreview(kit)

    def mount(self) -> Mounted:
        """Return the routes and the page."""
        return Mounted(
            routes=(
                Route(PATH, {"GET": self.show}),
                Route(f"{PATH}/{{group}}", {"GET": self.show_form, "POST": self.look}),
                Route(f"{PATH}/save", {"POST": self.save}),
                *self._history.routes,
                *self._brand.routes,
            ),
            dashboard_pages=(
                DashboardPage(
                    title=Text("Settings"),
                    path=PATH,
                    order=500,
                    group=Text("Configure"),
                    icon="settings",
                    key="s",
                ),
            ),
        )

    async def show(self, request: Request) -> Response:
        """Show every setting, what holds, and where that comes from."""
        operator = await self._kit.operators.require(request)
        query = read_query(request, _QUERY)
        record = await self._kit.settings.load()
        groups = [
            Group(name=group.name, title=_title(group), fields=self._fields(group, record))
            for group in self._groups()
        ]
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/settings/all.html",
            path=PATH,
            groups=groups,
            version=record.version,
            changed_at=format_time(record.at),
            changed_iso=format_iso(record.at),
            notice=translate(_DONE) if query.get("done") == "saved" else None,
        )

    async def show_form(self, request: Request) -> Response:
        """Show the form of a group; what was typed there must not be lost to a further proof."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=f"{PATH}/{quote(request.path_params['group'], safe='')}"
        )
        group = self._find(request)
        read_query(request, Fields({}))
        return await self._form(request, operator, group, await self._kit.settings.load())

    async def look(self, request: Request) -> Response:
        """Show what a change would do; nothing is changed yet."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        group = self._find(request)
        form = await read_form(request, most_bytes=MOST_BYTES, most_fields=MOST_FIELDS)
        shown = await self._shown(form.get("seen", ""))
        if "preview" in form:
            return await self._form(request, operator, group, shown, form=form)
        try:
            plan = self._plan(group, form, shown)
        except InvalidSettings as error:
            return await self._form(
                request, operator, group, shown, form=form, problems=error.problems
            )
        try:
            changes = await plan.run(self._settings, by=operator.by, dry_run=True)
        except SettingsConflict as conflict:
            return await self._clash(request, operator, plan, conflict)
        except ConfigError as error:
            return await self._form(
                request, operator, group, shown, form=form, problems=_problem_of(error)
            )
        if not changes:
            return await self._form(
                request, operator, group, shown, form=form, notice=Text("That holds already.")
            )
        return await self.confirm(request, operator, plan, changes)

    async def save(self, request: Request) -> Response:
        """Make a change that was looked at."""
        operator = await self._kit.operators.require_change(request, role="admin", back=PATH)
        form = await read_form(request, most_bytes=MOST_BYTES)
        plan = Plan.read(form)
        try:
            await plan.run(self._settings, by=operator.by)
        except SettingsConflict as conflict:
            return await self._clash(request, operator, plan, conflict)
        except ConfigError as error:  # another change has come between that it does not go with
            changes: Sequence[SettingChange] = ()
            return await self.confirm(request, operator, plan, changes, error=error)
        return self._kit.pages.redirect(request, f"{PATH}?done=saved")

    async def confirm(
        self,
        request: Request,
        operator: Operator,
        plan: Plan,
        changes: Sequence[SettingChange],
        *,
        clashes: Sequence[Clash] = (),
        error: ConfigError | None = None,
    ) -> Response:
        """Return the page that says what a change does, with the button that makes it.

        Args:
            request: for the root path.
            operator: who would make it.
            plan: what the button does.
            changes: what becomes of each setting.
            clashes: what somebody else has changed meanwhile.
            error: why it cannot be made; `None` where it can.
        """
        effects = describe(changes, self._kit.settings.groups, operator)
        names = [one.name.partition(".")[0] for one in changes] or [""]
        problem = None if error is None else next(iter(_problem_of(error).values()))
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/settings/confirm.html",
            path=PATH,
            status=409 if clashes or error else 200,
            effects=effects,
            clashes=clashes,
            hidden=plan.fields,
            back=f"{PATH}/{names[0]}" if plan.values is not None and names[0] else PATH,
            may_save=bool(changes),
            problem=problem,
        )

    async def _clash(
        self, request: Request, operator: Operator, plan: Plan, conflict: SettingsConflict
    ) -> Response:
        """Tell what somebody else has set meanwhile, and let the operator decide anew."""
        found = conflict.conflicts
        names = await self._makers.name(one.by for one in found)
        clashes = []
        for one in found:
            setting = find_setting(self._kit.settings.groups, one.name)
            clashes.append(
                Clash(
                    title=name_setting(setting, one.name),
                    seen=text_of(setting, one.seen),
                    now=text_of(setting, one.now),
                    by=names[one.by],
                    at=format_time(one.at),
                    iso=format_iso(one.at),
                )
            )
        newest = (await self._kit.settings.load()).version
        anew = Plan(seen=newest, values=plan.values, reset=plan.reset, version=plan.version)
        try:
            changes = await anew.run(self._settings, by=operator.by, dry_run=True)
        except ConfigError as error:
            return await self.confirm(request, operator, anew, (), clashes=clashes, error=error)
        return await self.confirm(request, operator, anew, changes, clashes=clashes)

    async def _form(
        self,
        request: Request,
        operator: Operator,
        group: LiveSettings[object],
        record: SettingsRecord,
        *,
        form: Mapping[str, str] | None = None,
        problems: Mapping[str, str] | None = None,
        notice: Text | None = None,
    ) -> Response:
        fields = self._fields(group, record, form=form, problems=problems)
        named = {field.name for field in fields}
        above = [text for name, text in (problems or {}).items() if name not in named]
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/settings/group.html",
            path=PATH,
            status=400 if problems else 200,
            group=Group(name=group.name, title=_title(group), fields=fields),
            limits=[field for field in fields if "." in field.name.partition(".")[2]],
            plain=[field for field in fields if "." not in field.name.partition(".")[2]],
            seen=record.version,
            preview=self._brand.preview(fields) if group.name == "brand" else None,
            problem=above[0] if above else None,
            notice=translate(notice) if notice is not None else None,
        )

    def _plan(
        self, group: LiveSettings[object], form: Mapping[str, str], shown: SettingsRecord
    ) -> Plan:
        """Return what a group's form asks for."""
        if "reset" in form:
            return Plan(seen=shown.version, reset=form["reset"].split()[:1])
        if form.get("now") == "sessions.not_before":
            # What began in this very second is over too.
            return Plan(seen=shown.version, values={form["now"]: self._kit.clock() + 1})
        values = read_changes(group, form, shown)
        since = values.get("sessions.not_before")
        if isinstance(since, int) and since > self._kit.clock():
            text = Text("Enter a moment that has passed: until then nobody could sign in.")
            raise InvalidSettings({"sessions.not_before": translate(text)})
        return Plan(seen=shown.version, values=values)

    async def _shown(self, seen: str) -> SettingsRecord:
        """Return the settings that a form was made for."""
        try:
            return await self._settings.record(read_version(seen))
        except ConfigError:
            raise NotFound from None

    def _fields(
        self,
        group: LiveSettings[object],
        record: SettingsRecord,
        *,
        form: Mapping[str, str] | None = None,
        problems: Mapping[str, str] | None = None,
    ) -> list[SettingField]:
        stored = self._kit.settings.of_group(group.name, record)
        return make_fields(group, stored, form=form, problems=problems)

    def _groups(self) -> list[LiveSettings[object]]:
        groups = self._kit.settings.groups.values()
        return sorted(groups, key=lambda group: group.name in _LAST)

    def _find(self, request: Request) -> LiveSettings[object]:
        group = self._kit.settings.groups.get(request.path_params["group"])
        if group is None:
            raise NotFound
        return group


def _title(group: LiveSettings[object]) -> str:
    return translate(group.title or group.name)


def _problem_of(error: ConfigError) -> dict[str, str]:
    text = Text("This does not go with the rest: %(problem)s.", problem=error.problem)
    return {error.option: translate(text)}

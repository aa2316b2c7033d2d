"""The pages of webhooks in the dashboard; whatever they show is text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.events.event import EventKind
from pwless_middleware.core.operators.webhook import STATES as STATE_NAMES
from pwless_middleware.core.operators.webhook import Webhook
from pwless_middleware.database.operators.webhook_deliveries import WebhookDeliveryRepository
from pwless_middleware.database.operators.webhooks import WebhookRepository
from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.webhooks.changes import OVERLAPS, WebhookChanges, WebhookForm
from pwless_middleware.features.webhooks.rows import (
    STATES,
    WebhookRow,
    show_delivery,
    show_webhook,
)
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.times import format_duration
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import DashboardPage
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

PATH: Final = "/dashboard/webhooks"
PAGE: Final = 50
"""Deliveries on one page."""

_DONE: Final[Mapping[str, Text]] = {
    "changed": Text("The webhook is changed."),
    "on": Text("Events are sent to it again."),
    "off": Text("Nothing is sent to it any more."),
    "deleted": Text("The webhook is deleted. What was sent to it goes within the hour."),
    "tested": Text("A test is on its way. Reload the page to see what became of it."),
    "replayed": Text("It is sent once more. Reload the page to see what became of it."),
}
"""What a page says after a form has done its work, by what the query says."""
_ID: Final = re.compile(r"wh_[a-z2-7]{16}")
_EVENT_ID: Final = re.compile(r"[0-7][0-9a-f]{15}")
_DONE_FIELD: Final = Field(about="What was done.", one_of=tuple(_DONE))
_LIST_QUERY: Final = Fields({"done": _DONE_FIELD})
_QUERY: Final = Fields(
    {
        "done": _DONE_FIELD,
        "state": Field(about="Of one state.", one_of=STATE_NAMES),
        "before": Field(
            about="Older than this event.",
            shortest=16,
            longest=16,
            also={"pattern": "^[0-7][0-9a-f]{15}$"},
        ),
    }
)


class WebhookPages:
    """Show webhooks and what is sent to them; make and change them.

    Args:
        kit: the feature's.
        webhooks, deliveries: keep them.
        changes: makes and changes them.
    """

    def __init__(
        self,
        kit: Kit,
        webhooks: WebhookRepository,
        deliveries: WebhookDeliveryRepository,
        changes: WebhookChanges,
    ) -> None:
        self._kit = kit
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._changes = changes
        one, sent = f"{PATH}/{{id}}", f"{PATH}/{{id}}/deliveries/{{event}}"
        self.routes = (
            Route(PATH, {"GET": self.list, "POST": self.create}),
            Route(f"{PATH}/new", {"GET": self.show_new}),
            Route(one, {"GET": self.show}),
            Route(f"{one}/edit", {"GET": self.show_edit, "POST": self.edit}),
            Route(f"{one}/on", {"POST": self.turn_on}),
            Route(f"{one}/off", {"POST": self.turn_off}),
            Route(f"{one}/secret", {"GET": self.show_rotate, "POST": self.rotate}),
            Route(f"{one}/delete", {"GET": self.show_delete, "POST": self.delete}),
            Route(f"{one}/test", {"POST": self.test}),
            Route(sent, {"GET": self.show_delivery, "POST": self.replay}),
        )
        self.dashboard_pages = (
            DashboardPage(
                title=Text("Webhooks"),
                path=PATH,
                order=610,
                group=Text("Operate"),
                icon="webhooks",
                key="w",
            ),
        )

    # --- all of them ---------------------------------------------------------------------------

    async def list(self, request: Request) -> Response:
        """List them."""
        operator = await self._kit.operators.require(request)
        query = read_query(request, _LIST_QUERY)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/webhooks.html",
            path=PATH,
            webhooks=[self._show(one, operator) for one in await self._webhooks.list()],
            notice=_notice(query.get("done")),
        )

    async def show_new(self, request: Request) -> Response:
        """Show the form for a new one."""
        operator = await self._kit.operators.require(request, "admin")
        return await self._form(request, operator, WebhookForm("", "", ""))

    async def create(self, request: Request) -> Response:
        """Make one, and show its secret this once."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=f"{PATH}/new"
        )
        form = _read(await read_form(request))
        try:
            webhook, secret = await self._changes.create(form, by=operator.by)
        except InvalidArgument as error:
            return await self._form(request, operator, form, error=error)
        return await self._secret(request, operator, webhook, secret)

    # --- one of them ---------------------------------------------------------------------------

    async def show(self, request: Request) -> Response:
        """Show one, and what was sent to it."""
        operator = await self._kit.operators.require(request)
        webhook = await self._find(request)
        query = read_query(request, _QUERY)
        before = query.get("before")
        if before is not None and not _EVENT_ID.fullmatch(before):
            raise InvalidArgument.of("before", Text("This is no event."), "id")
        state = next((one for one in STATE_NAMES if one == query.get("state")), None)
        found = await self._deliveries.list(webhook.id, state=state, before=before, limit=PAGE + 1)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/webhook.html",
            path=PATH,
            webhook=self._show(webhook, operator),
            deliveries=[show_delivery(one) for one in found[:PAGE]],
            maker=(await Makers(self._kit).name([webhook.by]))[webhook.by],
            older=found[PAGE - 1].event_id if len(found) > PAGE else "",
            is_first=before is None,
            state=state or "",
            states=[(name, translate(STATES[name])) for name in STATE_NAMES],
            notice=_notice(query.get("done")),
        )

    async def show_edit(self, request: Request) -> Response:
        """Show the form for a change."""
        operator = await self._kit.operators.require(request, "admin")
        webhook = await self._find(request)
        form = WebhookForm(webhook.url, webhook.description, "\n".join(webhook.kinds))
        return await self._form(request, operator, form, webhook)

    async def edit(self, request: Request) -> Response:
        """Change one."""
        operator = await self._require_change(request, "/edit")
        webhook = await self._find(request)
        fields = await read_form(request)
        form = _read(fields)
        try:
            await self._changes.edit(webhook.id, form, seen=_version(fields), by=operator.by)
        except InvalidArgument as error:
            return await self._form(request, operator, form, webhook, error=error)
        return self._lead(request, webhook, "changed")

    async def turn_on(self, request: Request) -> Response:
        """Have events sent to it again."""
        operator = await self._require_change(request)
        webhook = await self._find(request)
        await self._changes.turn_on(webhook.id, by=operator.by)
        return self._lead(request, webhook, "on")

    async def turn_off(self, request: Request) -> Response:
        """Have nothing sent to it any more."""
        operator = await self._require_change(request)
        webhook = await self._find(request)
        await self._changes.turn_off(webhook.id, by=operator.by)
        return self._lead(request, webhook, "off")

    async def show_rotate(self, request: Request) -> Response:
        """Show what a new secret means."""
        operator = await self._kit.operators.require(request, "admin")
        return await self._confirm(request, operator, await self._find(request), "rotate")

    async def rotate(self, request: Request) -> Response:
        """Have it sign anew, and show the new secret this once."""
        operator = await self._require_change(request, "/secret")
        webhook = await self._find(request)
        fields = await read_form(request)
        overlap = next((one for one in OVERLAPS if str(one) == fields.get("overlap")), -1)
        try:
            secret = await self._changes.rotate(
                webhook.id, overlap=overlap, seen=_version(fields), by=operator.by
            )
        except InvalidArgument as error:
            webhook = await self._find(request)
            return await self._confirm(request, operator, webhook, "rotate", error=error)
        return await self._secret(request, operator, await self._find(request), secret)

    async def show_delete(self, request: Request) -> Response:
        """Show what goes with it."""
        operator = await self._kit.operators.require(request, "admin")
        return await self._confirm(request, operator, await self._find(request), "delete")

    async def delete(self, request: Request) -> Response:
        """Delete one."""
        operator = await self._require_change(request, "/delete")
        webhook = await self._find(request)
        await self._changes.delete(webhook.id, by=operator.by)
        return self._kit.pages.redirect(request, f"{PATH}?done=deleted")

    async def test(self, request: Request) -> Response:
        """Send a test."""
        await self._require_change(request)
        webhook = await self._find(request)
        event_id = await self._changes.test(webhook.id)
        path = f"{PATH}/{webhook.id}/deliveries/{event_id}?done=tested"
        return self._kit.pages.redirect(request, path)

    # --- one delivery --------------------------------------------------------------------------

    async def show_delivery(self, request: Request) -> Response:
        """Show what was sent, and what was answered."""
        operator = await self._kit.operators.require(request)
        query = read_query(request, _LIST_QUERY)
        webhook = await self._find(request)
        delivery = await self._changes.find_delivery(webhook.id, _event_id(request))
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/webhook_delivery.html",
            path=PATH,
            webhook=self._show(webhook, operator),
            delivery=show_delivery(delivery),
            notice=_notice(query.get("done")),
        )

    async def replay(self, request: Request) -> Response:
        """Send something once more."""
        operator = await self._require_change(request)
        webhook, event_id = await self._find(request), _event_id(request)
        await self._changes.replay(webhook.id, event_id, by=operator.by)
        path = f"{PATH}/{webhook.id}/deliveries/{event_id}?done=replayed"
        return self._kit.pages.redirect(request, path)

    # --- parts ---------------------------------------------------------------------------------

    async def _require_change(self, request: Request, page: str = "") -> Operator:
        id = _ID.fullmatch(request.path_params["id"])
        back = f"{PATH}/{id[0]}{page}" if id else PATH
        return await self._kit.operators.require_change(request, role="admin", back=back)

    async def _find(self, request: Request) -> Webhook:
        return await self._changes.find(request.path_params["id"])

    def _lead(self, request: Request, webhook: Webhook, done: str) -> Response:
        return self._kit.pages.redirect(request, f"{PATH}/{webhook.id}?done={done}")

    async def _form(
        self,
        request: Request,
        operator: Operator,
        form: WebhookForm,
        webhook: Webhook | None = None,
        *,
        error: InvalidArgument | None = None,
    ) -> Response:
        problems = _problems(error)
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/webhook_form.html",
            path=PATH,
            status=error.status if error is not None else 200,
            form=form,
            webhook=None if webhook is None else self._show(webhook, operator),
            kinds=[
                (kind.name, self._kit.operators.describe_kind(kind)) for kind in self._list_kinds()
            ],
            problems=problems,
            problem=problems["version"],
        )

    def _show(self, webhook: Webhook, operator: Operator) -> WebhookRow:
        with_path = operator.may("admin")
        return show_webhook(webhook, now=self._kit.clock(), with_path=with_path)

    def _list_kinds(self) -> Sequence[EventKind]:
        return [self._kit.events.kinds[name] for name in self._changes.kinds]

    async def _secret(
        self, request: Request, operator: Operator, webhook: Webhook, secret: str
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/webhook_secret.html",
            path=PATH,
            webhook=self._show(webhook, operator),
            secret=secret,
        )

    async def _confirm(
        self,
        request: Request,
        operator: Operator,
        webhook: Webhook,
        what: str,
        *,
        error: InvalidArgument | None = None,
    ) -> Response:
        problems = _problems(error)
        overlaps = [
            (str(one), format_duration(one) if one else translate(Text("Not at all")))
            for one in OVERLAPS
        ]
        return await self._kit.operators.page(
            request,
            operator,
            "dashboard/webhook_confirm.html",
            path=PATH,
            status=error.status if error is not None else 200,
            what=what,
            webhook=self._show(webhook, operator),
            overlaps=overlaps,
            overlap=str(OVERLAPS[2]),
            problems=problems,
            problem=problems["version"],
        )


def _read(fields: Mapping[str, str]) -> WebhookForm:
    return WebhookForm(
        fields.get("url", ""), fields.get("description", ""), fields.get("kinds", "")
    )


def _version(fields: Mapping[str, str]) -> int:
    version = fields.get("version", "")
    return int(version) if re.fullmatch(r"[0-9]{1,9}", version) else 0


def _event_id(request: Request) -> str:
    id = request.path_params["event"]
    return id if _EVENT_ID.fullmatch(id) else ""


def _notice(done: str | None) -> str | None:
    return translate(_DONE[done]) if done is not None else None


def _problems(error: InvalidArgument | None) -> Mapping[str, str]:
    """Return what is said beside each field; empty for nothing."""
    found = dict.fromkeys(("url", "description", "kinds", "overlap", "version"), "")
    bad = error.violations if error is not None else ()
    return {**found, **{one.field: translate(one.description) for one in bad}}

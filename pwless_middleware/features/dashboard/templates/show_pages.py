"""The pages of one template: what is sent, its versions, what changed, and the way back to ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import InvalidArgument
from pwless_middleware.features.dashboard.templates.chosen import (
    PATH,
    Chosen,
    ChosenTemplate,
    path_of,
)
from pwless_middleware.features.dashboard.templates.differences import compare
from pwless_middleware.features.dashboard.templates.preview import (
    PARTS,
    VIEWS,
    Previews,
    tell_fault,
    tell_length,
)
from pwless_middleware.features.dashboard.templates.samples import KINDS
from pwless_middleware.flows.settings.mail_templates import TemplateConflict
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.names import name_of
from pwless_middleware.languages.times import format_iso, format_time
from pwless_middleware.rendering.mail_templates.template import PARTS as ALL_PARTS
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

_VERSION: Final = Field(
    kind="integer", about="A version of the template; 0 is ours.", least=0, most=2**53
)
_VIEW: Final = Field(about="How the preview is shown.", one_of=VIEWS)
_KIND: Final = Field(about="What it is sent as.", one_of=tuple(KINDS))
_QUERY: Final = Fields(
    {
        "view": _VIEW,
        "before": _VERSION,
        "done": Field(about="What was done.", longest=20),
    }
)
_PREVIEW_QUERY: Final = Fields({"version": _VERSION, "view": _VIEW, "kind": _KIND})
_COMPARE_QUERY: Final = Fields({"version": _VERSION, "with": _VERSION})
_PAGE: Final = 20

VIEW_NAMES: Final[Mapping[str, Text]] = {
    "desktop": Text("Desktop"),
    "phone": Text("Phone"),
    "dark": Text("Dark"),
    "text": Text("Plain text"),
}
HAS_OTHER: Final = Text(
    "Your code has a template of its own for this mail, which is sent and cannot be shown here. "
    "What you save here is sent in its place."
)
_DONE: Final[Mapping[str, Text]] = {
    "saved": Text("It is saved, and sent with the next mail."),
    "reset": Text("The default is sent again."),
}


class ShowPages:
    """Show one template, and take it back.

    Args:
        kit: everything below.
        chosen: finds templates.
    """

    def __init__(self, kit: Kit, chosen: Chosen) -> None:
        self._kit = kit
        self._chosen = chosen
        self._makers = Makers(kit)
        self._previews = Previews(kit)
        one = f"{PATH}/{{name}}/{{language}}"
        self.routes = (
            Route(one, {"GET": self.show}),
            Route(f"{one}/compare", {"GET": self.compare}),
            Route(f"{one}/reset", {"GET": self.ask_reset, "POST": self.reset}),
            Route(f"{one}/frame", {"GET": self.show_frame}),
        )

    async def show(self, request: Request) -> Response:
        """Show what is sent, and the versions."""
        operator = await self._kit.operators.require(request)
        chosen = await self._chosen.find(request)
        query = read_query(request, _QUERY)
        view, done = query.text("view") or "desktop", query.text("done")
        page = await self._page(
            request,
            operator,
            chosen,
            "dashboard/templates/show.html",
            view=view,
            views=[(one, translate(VIEW_NAMES[one]), one == view) for one in VIEWS],
            before=query.integer("before") or 0,
            versions=await self._versions(chosen, query.integer("before") or 0),
            warnings=await self._warnings(chosen, operator),
            notice=translate(_DONE[done]) if done in _DONE else None,
        )
        return framing(page)

    async def show_frame(self, request: Request) -> Response:
        """Show a version as it is sent, in a document of its own."""
        operator = await self._kit.operators.require(request)
        chosen = await self._chosen.find(request)
        query = read_query(request, _PREVIEW_QUERY)
        version = query.integer("version")
        texts = chosen.texts
        if version is not None:
            texts = await self._chosen.texts_of_version(chosen, version)
        template, faults = await self._chosen.templates.read(chosen.mail.name, texts)
        if template is None:
            return self._previews.refuse(faults)
        return self._previews.show(
            template,
            chosen.mail,
            chosen.language,
            kind=query.text("kind") or "LINK_OTP",
            view=query.text("view") or "desktop",
            to=operator.user.email,
        )

    async def compare(self, request: Request) -> Response:
        """Show what changed from one version to another."""
        operator = await self._kit.operators.require(request)
        chosen = await self._chosen.find(request)
        query = read_query(request, _COMPARE_QUERY)
        given = query.integer("version")
        version = chosen.version if given is None else given
        other = query.integer("with")
        other = max(0, version - 1) if other is None else other
        old = await self._chosen.texts_of_version(chosen, other)
        new = await self._chosen.texts_of_version(chosen, version)
        found = await asyncio.to_thread(lambda: [*map(compare, old, new)])
        return await self._page(
            request,
            operator,
            chosen,
            "dashboard/templates/compare.html",
            version=version,
            other=other,
            parts=[
                (translate(PARTS[part]), lines)
                for part, lines in zip(ALL_PARTS, found, strict=True)
                if lines
            ],
        )

    async def ask_reset(self, request: Request) -> Response:
        """Ask whether ours is to be sent again."""
        operator = await self._kit.operators.require(request, "admin")
        chosen = await self._chosen.find(request)
        return await self._reset_page(request, operator, chosen)

    async def reset(self, request: Request) -> Response:
        """Send ours again."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=path_of(request)
        )
        form = await read_form(request)
        chosen = await self._chosen.find(request)
        name, language = chosen.mail.name, chosen.language.code
        if not chosen.is_ours:
            try:
                await self._chosen.templates.reset(
                    name, language, seen=read_seen(form), by=operator.by
                )
            except TemplateConflict as conflict:
                makers = await self._makers.name([conflict.newest.by])
                problem = Text(
                    "%(by)s has changed it meanwhile, in version %(version)s. Look at that first.",
                    by=makers[conflict.newest.by],
                    version=conflict.newest.version,
                )
                return await self._reset_page(request, operator, chosen, problem=problem)
        return self._kit.pages.redirect(request, f"{chosen.path}?done=reset")

    async def _reset_page(
        self,
        request: Request,
        operator: Operator,
        chosen: ChosenTemplate,
        *,
        problem: Text | None = None,
    ) -> Response:
        return await self._page(
            request,
            operator,
            chosen,
            "dashboard/templates/reset.html",
            status=409 if problem is not None else 200,
            problem=translate(problem) if problem is not None else None,
        )

    async def _page(
        self,
        request: Request,
        operator: Operator,
        chosen: ChosenTemplate,
        name: str,
        *,
        status: int = 200,
        **context: Any,
    ) -> Response:
        return await self._kit.operators.page(
            request,
            operator,
            name,
            path=PATH,
            status=status,
            template_path=chosen.path,
            title=translate(chosen.mail.title),
            language_name=name_of(chosen.language.code),
            language_code=chosen.language.code,
            seen=chosen.version,
            is_ours=chosen.is_ours,
            is_email=chosen.mail.channel == "email",
            **context,
        )

    async def _versions(self, chosen: ChosenTemplate, before: int) -> dict[str, object]:
        name, code = chosen.mail.name, chosen.language.code
        found = await self._chosen.templates.versions(name, code, before=before, limit=_PAGE + 1)
        makers = await self._makers.name(one.by for one in found[:_PAGE])
        rows = [
            {
                "version": one.version,
                "by": makers[one.by],
                "at": format_time(one.at),
                "iso": format_iso(one.at),
                "is_ours": one.is_ours,
                "is_newest": one.version == chosen.version,
            }
            for one in found[:_PAGE]
        ]
        return {"rows": rows, "older": found[_PAGE - 1].version if len(found) > _PAGE else 0}

    async def _warnings(self, chosen: ChosenTemplate, operator: Operator) -> Sequence[str]:
        """Return what is wrong with what is sent, or what it lacks."""
        if chosen.is_ours and self._chosen.templates.rules.has_other(
            chosen.mail.name, chosen.language
        ):
            return [translate(HAS_OTHER)]
        template, faults = await self._chosen.templates.read(chosen.mail.name, chosen.texts)
        if template is None:
            said = translate(
                Text("It cannot be used any more, and the default is sent in its place.")
            )
            return [said, *map(tell_fault, faults)]
        size = 0
        if chosen.mail.channel == "email":
            to, language = operator.user.email, chosen.language
            email = self._previews.email(template, chosen.mail, language, "LINK_OTP", to)
            size = len(email.html.encode())
        found = [tell_fault(one) for one in self._chosen.warn(chosen, template, size)]
        if chosen.mail.channel == "sms":
            text = self._previews.message(template, chosen.mail, chosen.language)
            found.append(tell_length(text))
        return found


def read_seen(form: Mapping[str, str]) -> int:
    """Return the version that a form was made of.

    Raises:
        InvalidArgument: it says none.
    """
    seen = form.get("seen", "")
    if not (seen.isascii() and seen.isdigit() and len(seen) < 16):
        raise InvalidArgument.of("seen", Text("This is no number of a version."), "version")
    return int(seen)


def framing(page: Response) -> Response:
    """Let a page show frames of its own origin."""
    policy = page.headers["content-security-policy"]
    page.headers["content-security-policy"] = f"{policy}; frame-src 'self'"
    return page

"""The editor of a template: its texts, a preview of them, a test to oneself, and the change.

Writing takes longer than a fresh proof lasts. So the page asks for one before there is anything to
lose, and where it has run out when the text is saved, the text stays on the page, and the proof is
given beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.addresses.address import parse_address
from pwless_middleware.delivery.base import Message
from pwless_middleware.errors import DeliveryError, StepUpRequired
from pwless_middleware.features.dashboard.templates.chosen import (
    PATH,
    Chosen,
    ChosenTemplate,
    path_of,
)
from pwless_middleware.features.dashboard.templates.preview import (
    PARTS,
    VIEWS,
    Previews,
    tell_fault,
    tell_length,
)
from pwless_middleware.features.dashboard.templates.samples import KINDS
from pwless_middleware.features.dashboard.templates.show_pages import (
    HAS_OTHER,
    VIEW_NAMES,
    framing,
    read_seen,
)
from pwless_middleware.flows.settings.mail_templates import TemplateConflict
from pwless_middleware.languages.current import translate
from pwless_middleware.languages.names import name_of
from pwless_middleware.rendering.mail_templates.mails import COLORS
from pwless_middleware.rendering.mail_templates.template import Fault, ReadTemplate, Texts
from pwless_middleware.text import Text
from pwless_middleware.web.gates.operators import CHANGE_SECONDS, Operator
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.requests.queries import read_query
from pwless_middleware.web.responses.makers import Makers
from pwless_middleware.web.routing.routes import Route

logger = logging.getLogger("pwless.dashboard")

MOST_BYTES: Final = 1024 * 1024
"""Bytes of the form: a form writes each byte of text in up to three, and `ü` in six."""
TEST_SECONDS: Final = 10.0
"""How long a test may take to be handed over."""
PAUSE_SECONDS: Final = 5
"""Between two tests of one operator."""
_VERSION = Field(kind="integer", about="The version to begin with.", least=0, most=2**53)
_QUERY: Final = Fields({"version": _VERSION})


class EditPage:
    """Show the editor, and do what its buttons say.

    Args:
        kit: everything below.
        chosen: finds templates.
    """

    def __init__(self, kit: Kit, chosen: Chosen) -> None:
        self._kit = kit
        self._chosen = chosen
        self._previews = Previews(kit)
        self._makers = Makers(kit)
        self._tests = kit.records("template_tests")
        one = f"{PATH}/{{name}}/{{language}}"
        self.routes = (
            Route(f"{one}/edit", {"GET": self.show, "POST": self.save}),
            Route(f"{one}/preview", {"POST": self.preview}),
            Route(f"{one}/test", {"POST": self.test}),
        )

    async def show(self, request: Request) -> Response:
        """Show what is sent, or an earlier version, to be edited."""
        operator = await self._kit.operators.require_change(
            request, role="admin", back=_here(request)
        )
        chosen = await self._chosen.find(request)
        version = read_query(request, _QUERY).integer("version")
        texts = chosen.texts
        if version is not None:
            texts = await self._chosen.texts_of_version(chosen, version)
        return await self._page(request, operator, chosen, texts, version=version)

    async def preview(self, request: Request) -> Response:
        """Show what was typed as it would be sent, in a document of its own."""
        operator = await self._kit.operators.require(request, "admin", back=_here(request))
        form = await read_form(request, most_bytes=MOST_BYTES)
        await self._require_if_empty(request, form)
        chosen = await self._chosen.find(request)
        template, faults = await self._read(chosen, form)
        if template is None:
            return self._previews.refuse(faults)
        kind, view = form.get("kind", ""), form.get("view", "")
        return self._previews.show(
            template,
            chosen.mail,
            chosen.language,
            kind=kind if kind in KINDS else "LINK_OTP",
            view=view if view in VIEWS else "desktop",
            to=operator.user.email,
        )

    async def test(self, request: Request) -> Response:
        """Send what was typed to the operator, as a mail with samples in it."""
        operator = await self._kit.operators.require(request, "admin", back=_here(request))
        form = await read_form(request, most_bytes=MOST_BYTES)
        await self._require_if_empty(request, form)
        chosen = await self._chosen.find(request)
        if (again := await self._ask_again(request, operator, chosen, form)) is not None:
            return again
        template, faults = await self._read(chosen, form)
        texts = _texts(form)
        if template is None or chosen.mail.channel != "email":
            return await self._page(request, operator, chosen, texts, faults=faults, form=form)
        problem = await self._send(template, chosen, operator, form)
        notice = None
        if problem is None:
            sent = Text("A test was sent to %(address)s.", address=operator.user.email)
            notice = translate(sent)
        return await self._page(
            request, operator, chosen, texts, form=form, notice=notice, problem=problem
        )

    async def save(self, request: Request) -> Response:
        """Save what was typed, if it is admitted; what it lacks is told first."""
        operator = await self._kit.operators.require(request, "admin", back=_here(request))
        form = await read_form(request, most_bytes=MOST_BYTES)
        await self._require_if_empty(request, form)
        chosen = await self._chosen.find(request)
        if (again := await self._ask_again(request, operator, chosen, form)) is not None:
            return again
        texts = _texts(form)
        template, faults = await self._read(chosen, form)
        if template is None:
            return await self._page(request, operator, chosen, texts, faults=faults, form=form)
        warnings = self._warnings(chosen, template, operator)
        if warnings and form.get("anyway") != "yes":
            return await self._page(
                request, operator, chosen, texts, form=form, warnings=warnings, status=422
            )
        try:
            await self._chosen.templates.save(
                chosen.mail.name,
                chosen.language.code,
                texts,
                seen=read_seen(form),
                by=operator.by,
            )
        except TemplateConflict as conflict:
            return await self._tell_conflict(request, operator, chosen, form, conflict)
        return self._kit.pages.redirect(request, f"{chosen.path}?done=saved")

    # --- parts -----------------------------------------------------------------------------------

    async def _require_if_empty(self, request: Request, form: Mapping[str, str]) -> None:
        """Ask for a fresh proof where there is no text that would be lost on the way to it."""
        if not any(form.get(part) for part in PARTS):
            await self._kit.operators.require_change(request, role="admin", back=_here(request))

    async def _ask_again(
        self, request: Request, operator: Operator, chosen: ChosenTemplate, form: Mapping[str, str]
    ) -> Response | None:
        """Return the page with what was typed, where a fresh proof is due; else `None`."""
        try:
            await self._kit.operators.require_change(request, role="admin", back=_here(request))
        except StepUpRequired as error:
            return await self._page(
                request,
                operator,
                chosen,
                _texts(form),
                form=form,
                step_url=error.step_url,
                status=403,
            )
        return None

    async def _read(
        self, chosen: ChosenTemplate, form: Mapping[str, str]
    ) -> tuple[ReadTemplate | None, Sequence[Fault]]:
        return await self._chosen.templates.read(chosen.mail.name, _texts(form))

    async def _send(
        self,
        template: ReadTemplate,
        chosen: ChosenTemplate,
        operator: Operator,
        form: Mapping[str, str],
    ) -> str | None:
        """Hand a test over; return what went wrong, or `None`."""
        address = parse_address(operator.user.email)
        if address is None:
            return translate(Text("Your account has no address that a mail could go to."))
        if not await self._tests.add(operator.user.id, ttl=PAUSE_SECONDS):
            return translate(Text("Wait a moment before the next test."))
        kind = form.get("kind", "")
        kind = kind if kind in KINDS else "LINK_OTP"
        email = self._previews.email(template, chosen.mail, chosen.language, kind, address)
        subject = translate(Text("Test: %(subject)s", subject=email.subject))
        message = Message(address, subject, email.text, email.html)
        try:
            async with asyncio.timeout(TEST_SECONDS):
                await self._kit.mailer.send(message)
        except DeliveryError as error:
            reason = str(error)
            return translate(Text("The mail was not taken: %(reason)s", reason=reason))
        except TimeoutError:
            return translate(Text("The mail server did not answer in time."))
        except Exception:
            logger.exception("a test could not be sent", extra={"event": "template_test_failed"})
            return translate(Text("The mail could not be sent; the log says why."))
        details = {"name": chosen.mail.name, "language": chosen.language.code}
        self._kit.events.record("template.tested", by=operator.by, details=details)
        return None

    def _warnings(
        self, chosen: ChosenTemplate, template: ReadTemplate, operator: Operator
    ) -> Sequence[str]:
        size = 0
        if chosen.mail.channel == "email":
            to = operator.user.email
            email = self._previews.email(template, chosen.mail, chosen.language, "LINK_OTP", to)
            size = len(email.html.encode())
        return [tell_fault(one) for one in self._chosen.warn(chosen, template, size)]

    async def _tell_conflict(
        self,
        request: Request,
        operator: Operator,
        chosen: ChosenTemplate,
        form: Mapping[str, str],
        conflict: TemplateConflict,
    ) -> Response:
        newest = conflict.newest
        makers = await self._makers.name([newest.by])
        problem = Text(
            "%(by)s has saved version %(version)s meanwhile, and nothing was overwritten. Compare "
            "it with yours; to keep yours, save again.",
            by=makers[newest.by],
            version=newest.version,
        )
        return await self._page(
            request,
            operator,
            chosen,
            _texts(form),
            form={**form, "seen": str(newest.version)},
            problem=translate(problem),
            status=409,
        )

    async def _page(
        self,
        request: Request,
        operator: Operator,
        chosen: ChosenTemplate,
        texts: Texts,
        *,
        version: int | None = None,
        form: Mapping[str, str] | None = None,
        faults: Sequence[Fault] = (),
        warnings: Sequence[str] = (),
        status: int = 200,
        step_url: str = "",
        notice: str | None = None,
        problem: str | None = None,
    ) -> Response:
        given = form or {}
        mail = chosen.mail
        view, kind = given.get("view", "desktop"), given.get("kind", "LINK_OTP")
        callers = self._chosen.templates.rules.callers_variables(mail.name)
        page = await self._kit.operators.page(
            request,
            operator,
            "dashboard/templates/edit.html",
            path=PATH,
            status=422 if faults else status,
            template_path=chosen.path,
            title=translate(mail.title),
            language_name=name_of(chosen.language.code),
            language_code=chosen.language.code,
            direction_of_text=chosen.language.direction,
            seen=given.get("seen") or str(chosen.version),
            texts=texts,
            version=version,
            was_typed=form is not None,
            faults=_by_part(faults),
            warnings=warnings,
            step_url=step_url,
            step_seconds=CHANGE_SECONDS,
            is_email=mail.channel == "email",
            other=self._other(chosen),
            length=self._length(chosen, texts) if mail.channel == "sms" else "",
            kinds=[(one, translate(name)) for one, name in KINDS.items()],
            has_kinds="code" in mail.wanted and mail.channel == "email",
            kind=kind if kind in KINDS else "LINK_OTP",
            views=[(one, translate(VIEW_NAMES[one])) for one in VIEWS],
            view=view if view in VIEWS else "desktop",
            variables=[(one.name, translate(one.meaning)) for one in mail.variables]
            + [(name, translate(Text("Given by your app."))) for name in sorted(callers)],
            subject_variables=sorted(self._chosen.templates.rules.variables(mail.name).subject),
            colors=COLORS,
            address=operator.user.email,
            notice=notice,
            problem=problem,
        )
        return framing(page)

    def _other(self, chosen: ChosenTemplate) -> str:
        rules = self._chosen.templates.rules
        has_other = chosen.is_ours and rules.has_other(chosen.mail.name, chosen.language)
        return translate(HAS_OTHER) if has_other else ""

    def _length(self, chosen: ChosenTemplate, texts: Texts) -> str:
        template, _ = self._chosen.templates.rules.read(chosen.mail.name, texts)
        if template is None:
            return ""
        return tell_length(self._previews.message(template, chosen.mail, chosen.language))


def _texts(form: Mapping[str, str]) -> Texts:
    texts = (form.get(part, "").replace("\r\n", "\n") for part in PARTS)
    return Texts(*texts)


def _here(request: Request) -> str:
    """Return the path of the editor, below the prefix."""
    return f"{path_of(request)}/edit"


def _by_part(faults: Sequence[Fault]) -> Mapping[str, Sequence[str]]:
    """Return the faults of each part, as sentences."""
    return {part: [tell_fault(one) for one in faults if one.part == part] for part in PARTS}

"""The part of a step's page by text message: send a code, and take it."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.features.second_factors.pages.parts import NO_PROBLEM, read_code
from pwless_middleware.features.second_factors.sms.feature import SMSCodes
from pwless_middleware.features.second_factors.sms.numbers import mask_number
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import Form, Part
from pwless_middleware.web.parts.steps import StepMethod, StepPart, StepSubject


@dataclass(frozen=True, slots=True)
class Phone:
    """One of a person's numbers, as the page shows it.

    Attributes:
        id: of the factor.
        digits: the number, masked.
    """

    id: str
    digits: str


class SMSPart:
    """Show the button that sends, then the field for the code.

    Args:
        kit: everything below.
        sms: sends codes, and takes them.

    Attributes:
        method: the way, with its part of the page.
    """

    def __init__(self, kit: Kit, sms: SMSCodes) -> None:
        self._kit = kit
        self._sms = sms
        page = StepPart(
            title=Text("Text message"),
            template="second_factors/sms.html",
            show=self.show,
            read=read_code,
            prepare=self.prepare,
            order=200,
        )
        self.method: StepMethod = replace(sms.step.method, page=page)

    async def show(self, request: Request, subject: StepSubject) -> Part | None:
        """Return the part; `None` for who has no number to which a text message can go."""
        if subject.enrolls:
            return None
        phones = [
            Phone(one.id, mask_number(one.phone))
            for one in await self._sms.step.phones(subject.user_id)
        ]
        if not phones:
            return None
        sent, now = await self._sms.step.find(subject), self._kit.clock()
        return Part(
            context={
                **NO_PROBLEM,
                "phones": phones,
                "sent_to": Phone(sent.factor_id, sent.phone) if sent is not None else None,
                "resend_after": sent.resend_after if sent is not None else 0,
                "expires_in": max(0, sent.expires_at - now) if sent is not None else 0,
                "is_delayed": self._sms.is_failing,
                "in_development": isinstance(self._sms.sender, TextOutbox),
            },
            is_begun=sent is not None,
        )

    async def prepare(
        self, request: Request, subject: StepSubject, form: Form
    ) -> Response | Part | None:
        """Send a text message, to a form that asks for one, and show where its code goes."""
        if "send" not in form:
            return None
        await self._sms.step.send(subject, form.get("factor_id", ""))
        here = self._kit.pages.here(request)
        return self._kit.pages.redirect(request, here, ours=False)

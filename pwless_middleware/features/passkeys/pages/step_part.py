"""The passkeys' part of a step that other second factors satisfy too."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.features.passkeys.flow import ENROLLMENT_PATH
from pwless_middleware.features.passkeys.pages.account_page import PATH
from pwless_middleware.features.passkeys.pages.credential_form import has_credential, read_answer
from pwless_middleware.features.passkeys.pages.login_part import SCRIPT
from pwless_middleware.features.passkeys.steps import PasskeySteps
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import Form, Part
from pwless_middleware.web.parts.steps import StepPart, StepSubject
from pwless_middleware.web.requests.bodies import Json
from pwless_middleware.web.responses.responses import json_response

_ORDER = 50
"""Before what is typed: it is quicker, and worth more."""


class PasskeyStepPart:
    """Show the button, and answer its script.

    Args:
        kit: everything below.
        steps: do the step.

    Attributes:
        page: the part.
    """

    def __init__(self, kit: Kit, steps: PasskeySteps) -> None:
        self._kit = kit
        self._steps = steps
        self.page = StepPart(
            title=Text("Passkey"),
            template="passkeys/step_part.html",
            show=self.show,
            read=read,
            prepare=self.prepare,
            order=_ORDER,
            is_scripted=True,
            script=SCRIPT,
            enroll_path=ENROLLMENT_PATH,
            account_path=PATH,
        )

    async def show(self, request: Request, subject: StepSubject) -> Part | None:
        """Return the button; `None` for who has no passkey."""
        if subject.enrolls or not await self._steps.is_enrolled(subject.user_id):
            return None
        return Part(context={"problem": None, "wait": 0})

    async def prepare(
        self, request: Request, subject: StepSubject, form: Form
    ) -> Response | Part | None:
        """Return what the browser is asked, to a form without an answer."""
        if has_credential(form):
            return None
        told = await self._steps.ask(request, subject)
        if told is None:  # the last one is gone since the page was shown
            here = self._kit.pages.here(request)
            return self._kit.pages.redirect(request, here, ours=False)
        return json_response(told)


def read(form: Form) -> Mapping[str, Json]:
    """Return a form as the JSON API has it."""
    ceremony_id, credential = read_answer(form)
    return {"ceremony_id": ceremony_id, "credential": dict(credential)}

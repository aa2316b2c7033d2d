"""The parts of a step's page by what is typed: the authenticator app's, the recovery codes'."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from starlette.requests import Request

from pwless_middleware.features.second_factors.names import ENROLLMENT_PATH
from pwless_middleware.features.second_factors.steps import FactorStep
from pwless_middleware.text import Text
from pwless_middleware.web.parts.parts import Form, Part
from pwless_middleware.web.parts.steps import StepMethod, StepPart, StepSubject
from pwless_middleware.web.requests.bodies import Json

TOTP_PATH: Final = f"{ENROLLMENT_PATH}/totp"
"""Where an authenticator app is connected in a login, below the prefix."""
NO_PROBLEM: Final[Mapping[str, object]] = {
    "notice": None,
    "error": None,
    "problem": None,
    "wait": 0,
}


def with_totp_page(step: FactorStep) -> StepMethod:
    """Return the authenticator app's method with its part of the step's page."""
    page = StepPart(
        title=Text("Authenticator app"),
        template="second_factors/totp.html",
        show=_show_if_asked(step),
        read=read_code,
        order=100,
        enroll_path=TOTP_PATH,
    )
    return replace(step.method, page=page)


def with_recovery_page(step: FactorStep) -> StepMethod:
    """Return the recovery codes' method with its part of the step's page."""
    page = StepPart(
        title=Text("Recovery code"),
        template="second_factors/recovery_code.html",
        show=_show_if_asked(step),
        read=read_code,
        order=300,
    )
    return replace(step.method, page=page)


def read_code(form: Form) -> Mapping[str, Json]:
    """Return a form with a code as the JSON API has it."""
    return {"code": form.get("code", "")}


def _show_if_asked(step: FactorStep) -> Callable[[Request, StepSubject], Awaitable[Part | None]]:
    """Return what shows the field to who can do the step this way."""

    async def show(request: Request, subject: StepSubject) -> Part | None:
        if await step.ask(request, subject) is None:
            return None
        return Part(context=NO_PROBLEM)

    return show

"""What does a step of a login also gives a fresh proof of a live session."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.logins.login import Login
from pwless_middleware.errors import ApiError, LoginDenied, Unauthenticated
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import StepUpMethod
from pwless_middleware.web.parts.parts import Form, Part
from pwless_middleware.web.parts.steps import OfferedStep, StepPart, StepSubject
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.step_problem import with_problem


def step_up_by(kit: Kit, step: OfferedStep) -> StepUpMethod | None:
    """Return the part of the page that asks again who it is; `None` for a way without a page."""
    page = step.method.page
    if page is None:
        return None
    found = _StepUpByStep(kit, step, page)
    return StepUpMethod(
        name=step.method.name,
        template=page.template,
        show=found.show,
        post=found.post,
        strength=step.method.strength,
        title=page.title,
        order=page.order,
        is_scripted=page.is_scripted,
        script=page.script,
    )


class _StepUpByStep:
    """Ask, and check the answer.

    Args:
        kit: everything below.
        step: the way.
        page: how it is done on a page.
    """

    def __init__(self, kit: Kit, step: OfferedStep, page: StepPart) -> None:
        self._kit = kit
        self._step = step
        self._page = page

    async def show(self, request: Request, account: Account) -> Part | None:
        caller = self._kit.callers.browser(request)
        return await self._page.show(request, StepSubject.of_session(account, caller))

    async def post(
        self, request: Request, account: Account, form: Form, next: str
    ) -> Response | Part:
        caller, method = self._kit.callers.browser(request), self._step.method
        subject = StepSubject.of_session(account, caller)
        try:
            if self._page.prepare is not None:
                prepared = await self._page.prepare(request, subject, form)
                if prepared is not None:
                    return prepared
            values = method.fields.read_json(self._page.read(form))

            async def check(login: Login) -> StepProof | None:
                return await method.check(request, subject, values)

            attempt = self._step.logins.do_step_up(
                method.name, caller, account.session, check, next=next
            )
            return await respond_with_page(self._kit, request, caller, attempt)
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            part = await self._page.show(request, subject)
            return with_problem(part or Part(), error)

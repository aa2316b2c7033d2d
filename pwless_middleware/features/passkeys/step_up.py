"""Prove once more who it is, with a passkey."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import ApiError, LoginDenied, Unauthenticated
from pwless_middleware.features.passkeys.ceremonies.answers import METHOD
from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.features.passkeys.pages.credential_form import has_credential, read_answer
from pwless_middleware.features.passkeys.pages.login_part import SCRIPT
from pwless_middleware.features.passkeys.pages.problem import Problem
from pwless_middleware.text import Text
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import StepUpMethod
from pwless_middleware.web.parts.parts import Form, Part
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import json_response

_ORDER = 50
"""Before a mailed code: it is quicker, and worth more."""


class StepUpByPasskey:
    """Ask for a passkey, and check the answer.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.method = StepUpMethod(
            name=METHOD,
            template="step_up/passkey.html",
            show=self.show,
            post=self.post,
            strength="phishing_resistant",
            title=Text("Passkey"),
            order=_ORDER,
            is_scripted=True,
            script=SCRIPT,
        )

    async def show(self, request: Request, account: Account) -> Part | None:
        """Return the button; `None` for who has no passkey."""
        return _part() if await self._flow.own.usable(account.user.id) else None

    async def post(
        self, request: Request, account: Account, form: Form, next: str
    ) -> Response | Part:
        """Return what the browser is asked, to a form without an answer; else renew the session."""
        caller = self._kit.callers.browser(request)
        try:
            if not has_credential(form):
                prompt = await self._flow.step_up_options(account, caller)
                if prompt is None:  # the last one is gone since the page was shown
                    here = self._kit.pages.here(request)
                    return self._kit.pages.redirect(request, here, ours=False)
                return json_response(prompt.to_json(self._kit.clock()))
            attempt = self._flow.step_up(account, *read_answer(form), caller, next=next)
            return await respond_with_page(self._kit, request, caller, attempt)
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return _part(error)


def _part(error: ApiError | None = None) -> Part:
    problem = Problem.of(error)
    return Part(
        context={"problem": problem.text, "wait": problem.wait},
        status=problem.status,
        retry_after=problem.retry_after,
    )

"""The passkeys' part of the login page: a button, and what the address field offers."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import ApiError, InvalidCredential, LoginDenied, LoginElsewhere
from pwless_middleware.features.passkeys.browser import PasskeyBrowser
from pwless_middleware.features.passkeys.ceremonies.answers import METHOD
from pwless_middleware.features.passkeys.ceremonies.ceremonies import held_by_browser
from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.features.passkeys.pages.credential_form import read_answer
from pwless_middleware.features.passkeys.pages.problem import Problem
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import LoginMethod
from pwless_middleware.web.parts.parts import Form, Part, organization_in
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import root_path

SCRIPT = "passkeys.js"


class LoginPart:
    """Show the button, and sign in whoever has answered.

    Args:
        kit: everything below.
        flow: signs in.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.method = LoginMethod(
            name=METHOD,
            template="login/passkey.html",
            show=self.show,
            post=self.post,
            field="credential",
            autofill="webauthn",
            is_scripted=True,
            script=SCRIPT,
            lets_in=flow.own.lets_in,
        )

    async def show(self, request: Request, next: str) -> Part:
        """Return the button. The script asks for options, so that a page view writes nothing."""
        return self._part()

    async def post(self, request: Request, form: Form, next: str) -> Response | Part:
        """Sign in."""
        caller = self._kit.callers.browser(request)
        browser = PasskeyBrowser.unpack(self._kit.cookies.passkeys(request.scope["headers"]))
        if browser is None:  # the cookie that came with the options has not come back
            return self._kit.cookie_check.probe(request, next)
        try:
            ceremony_id, credential = read_answer(form)
            attempt = self._flow.login(
                ceremony_id,
                credential,
                caller,
                held_by_browser(browser.nonce),
                next=next or root_path(request) + "/",
                organization=organization_in(form) or None,
            )
            return await respond_with_page(self._kit, request, caller, attempt)
        except (LoginDenied, LoginElsewhere):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return self._part(error)

    def _part(self, error: ApiError | None = None) -> Part:
        problem = Problem.of(error)
        signals = ""
        if isinstance(error, InvalidCredential) and error.unknown_id is not None:
            told = {"rpId": self._flow.party.id, "credentialId": error.unknown_id}
            signals = json.dumps({"signalUnknownCredential": told})
        return Part(
            context={
                "is_alone": len(self._kit.offers.methods) == 1,
                "problem": problem.text,
                "wait": problem.wait,
                "signals": signals,
            },
            status=problem.status,
            retry_after=problem.retry_after,
        )

"""The part of the login page that asks for an address, and answers its form."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.challenges.challenge import Challenge
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import ApiError, LoginElsewhere
from pwless_middleware.features.email_login.flow import EmailFlow, SendRequest
from pwless_middleware.languages.current import current_language
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.offers import LoginMethod
from pwless_middleware.web.parts.parts import Form, Part, organization_in
from pwless_middleware.web.responses.error_text import ErrorText
from pwless_middleware.web.responses.responses import root_path


class LoginForm:
    """Show the form, and send the mail that it asks for.

    Args:
        kit: everything below.
        flow: the three verbs.
    """

    def __init__(self, kit: Kit, flow: EmailFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.method = LoginMethod(
            name="email", template="login/email.html", show=self.show, post=self.post, field="email"
        )

    async def show(self, request: Request, next: str) -> Part:
        """Return the form, empty.

        With `another` in the query, who mistyped an address finds it in the form, and the place
        that was asked for is kept: both are read from the challenge, so that no cookie and no URL
        holds an address.
        """
        if "another" in request.query_params:
            challenge = await self._flow.newest(self._kit.callers.browser(request))
            if challenge is not None:
                part = self._part(email=challenge.address, next=challenge.next)
                return replace(part, organization=challenge.organization or "")
        return self._part()

    async def post(self, request: Request, form: Form, next: str) -> Response | Part:
        """Send the mail, and go to the page that waits for it."""
        email, is_break_glass = form.get("email", ""), "break_glass" in form
        caller = self._kit.callers.browser(request)
        home = root_path(request) + "/"
        try:
            started = await self._flow.send(
                SendRequest(
                    email=email,
                    next=next or home,
                    language=current_language().code,
                    organization=organization_in(form) or None,
                    is_break_glass=is_break_glass,
                ),
                caller,
            )
        except LoginElsewhere as error:
            return self._kit.pages.redirect(request, error.path)
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return self._part(email=email, error=error, is_break_glass=is_break_glass)
        return redirect_to_verify(self._kit, self._flow, request, caller, started.challenge)

    def _part(
        self,
        *,
        email: str = "",
        next: str = "",
        error: ApiError | None = None,
        is_break_glass: bool = False,
    ) -> Part:
        error_text = ErrorText.of(error)
        return Part(
            context={
                "email": email[:254],
                "is_break_glass": is_break_glass,
                "kind": self._flow.kind,
                "notice": None,
                "error": error_text.error,
                "problem": error_text.problem,
                "wait": error_text.wait,
            },
            next=next,
            status=error.status if error else 200,
            retry_after=error.retry_after if error else None,
        )


def redirect_to_verify(
    kit: Kit, flow: EmailFlow, request: Request, caller: Caller, newest: Challenge
) -> Response:
    """Send a browser to the page that waits for a code, with the challenge in its flow cookie."""
    cookie = kit.cookies.set_flow(caller.holds_with(newest), max_age=flow.flow_seconds)
    return kit.pages.redirect(request, "/verify", cookies=[cookie])

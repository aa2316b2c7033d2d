"""In a login that asks for a second factor of somebody who has none: choose one, and connect it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.logins.login import Login
from pwless_middleware.core.people.given_name import LONGEST
from pwless_middleware.errors import ApiError, LoginDenied, RequestExpired, Unauthenticated
from pwless_middleware.features.second_factors.names import ENROLLMENT_PATH, TOTP
from pwless_middleware.features.second_factors.pages.parts import TOTP_PATH
from pwless_middleware.features.second_factors.pages.pending import PendingStep
from pwless_middleware.features.second_factors.pages.shown_enrollment import OVER, ShownTOTP
from pwless_middleware.features.second_factors.pages.way import Way
from pwless_middleware.features.second_factors.totp.enrollment import TOTPEnrollments
from pwless_middleware.features.second_factors.totp.step import TOTPStep
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.languages.current import translate
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import Form
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.error_text import ErrorText
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route

_HINTS: Final[Mapping[str, Text]] = {
    TOTP: Text("Shows codes on your phone"),
    "passkey": Text("Your fingerprint, face or screen lock"),
}


class EnrollmentPages:
    """Show the pages, and take the first code.

    Args:
        kit: everything below.
        step: begins, and takes the code.
        enrollments: find what was begun.
    """

    def __init__(self, kit: Kit, step: TOTPStep, enrollments: TOTPEnrollments) -> None:
        self._kit = kit
        self._step = step
        self._enrollments = enrollments
        self.routes = (
            Route(ENROLLMENT_PATH, {"GET": self.choose}),
            Route(TOTP_PATH, {"GET": self.show, "POST": self.post}),
        )

    async def choose(self, request: Request) -> Response:
        """List what there is to choose from; where that is one, go on to it."""
        at = await self._at(request)
        paths = {
            page.enroll_path: (offered.method.name, page)
            for offered, page in at.list_ways(self._kit)
            if page.enroll_path
        }
        if len(paths) == 1:
            return self._kit.pages.redirect(request, next(iter(paths)))
        ways = [
            Way(
                name,
                translate(page.title),
                self._url(request, path),
                translate(_HINTS[name]) if name in _HINTS else "",
            )
            for path, (name, page) in paths.items()
        ]
        return self._kit.pages.page(
            request,
            "second_factors/enroll.html",
            user_email=at.pending.login.email,
            ways=ways,
        )

    async def show(self, request: Request) -> Response:
        """Say what it takes; once it is begun, show the QR code."""
        at = await self._at(request)
        return await self._page(request, at, request.query_params.get("enrollment_id", ""))

    async def post(self, request: Request) -> Response:
        """Begin, or take the first code and go on with the login."""
        form = await read_form(request)
        at, id = await self._at(request), form.get("enrollment_id", "")
        try:
            if not id:
                begun = await self._step.enroll(at.subject)
                path = f"{TOTP_PATH}?enrollment_id={begun.enrollment_id}"
                return self._kit.pages.redirect(request, path)
            return await self._confirm(request, at, form)
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return await self._page(request, await self._at(request), id, error)

    async def _confirm(self, request: Request, at: PendingStep, form: Form) -> Response:
        method, subject = self._step.method, at.subject
        values = method.fields.read_json(
            {"code": form.get("code", ""), "enrollment_id": form.get("enrollment_id", "")}
        )

        async def check(login: Login) -> StepProof | None:
            return await method.check(request, subject, values)

        attempt = self._kit.logins.do_step(at.login_id, TOTP, at.caller, check)
        return await respond_with_page(self._kit, request, at.caller, attempt)

    async def _at(self, request: Request) -> PendingStep:
        """Return the pending login, which has to ask for a factor that is made in it.

        Raises:
            RequestExpired: there is none.
        """
        return await PendingStep.of(self._kit, request, ENROLLMENT_PATH)

    async def _page(
        self, request: Request, at: PendingStep, id: str, error: ApiError | None = None
    ) -> Response:
        subject = at.subject
        if await self._step.ask(request, subject) is None:
            raise RequestExpired  # one was added since this login began (security rule 48)
        found = None
        if id:
            found = await self._enrollments.find(
                subject.user_id, subject.email, id, subject.binding
            )
        text = ErrorText.of(error)
        problem = translate(OVER) if id and found is None else text.problem
        return self._kit.pages.page(
            request,
            "second_factors/connect_totp.html",
            leads_away=self._kit.logins.may_lead_away,
            status=error.status if error is not None else 200,
            retry_after=error.retry_after if error is not None else None,
            enrollment=ShownTOTP.of(found) if found is not None else None,
            action=self._url(request, TOTP_PATH),
            error=text.error,
            problem=problem,
            wait=text.wait,
            typed_name=None,
            most_name=LONGEST,
            back=self._url(request, ENROLLMENT_PATH),
            is_step=True,
        )

    def _url(self, request: Request, path: str) -> str:
        return root_path(request) + self._kit.prefix + path

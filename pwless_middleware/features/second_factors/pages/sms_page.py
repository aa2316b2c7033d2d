"""The account's page on which a phone number is added."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.delivery.texts.outbox import TextOutbox
from pwless_middleware.errors import ApiError, InvalidArgument, LoginDenied, Unauthenticated
from pwless_middleware.features.second_factors.flow import SecondFactorFlow, held_by_session
from pwless_middleware.features.second_factors.pages.paths import ACCOUNT_PATH, CONNECT_SMS_PATH
from pwless_middleware.features.second_factors.pages.shown_enrollment import OVER
from pwless_middleware.features.second_factors.sms.feature import SMSCodes
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.languages.current import translate
from pwless_middleware.web.identity.accounts import Account
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import Form
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.error_text import ErrorText
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import root_path
from pwless_middleware.web.routing.routes import Route


class SMSPage:
    """Show the page, send a code to a number, and take it.

    Args:
        kit: everything below.
        flow: keeps the number.
        sms: sends the code.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow, sms: SMSCodes) -> None:
        self._kit = kit
        self._flow = flow
        self._sms = sms
        self.routes = (Route(CONNECT_SMS_PATH, {"GET": self.show, "POST": self.post}),)

    async def show(self, request: Request) -> Response:
        """Ask for the number; once a code was sent there, ask for that."""
        account = await self._flow.own.require(request)
        return await self._page(request, account, request.query_params.get("enrollment_id", ""))

    async def post(self, request: Request) -> Response:
        """Send a code to the number, or take the code."""
        form = await read_form(request)
        id = form.get("enrollment_id", "")
        account = await self._flow.own.require(request, back=_path_of(id))
        caller = self._kit.callers.browser(request)
        try:
            if "code" in form:
                attempt = self._confirm(request, account, form)
                return await respond_with_page(self._kit, request, caller, attempt)
            begun = await self._sms.enrollments.begin(
                account.user.id,
                held_by_session(account.session),
                form.get("phone", ""),
                caller,
                country=form.get("country", ""),
            )
            return self._kit.pages.redirect(request, _path_of(begun.enrollment_id))
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return await self._page(request, account, id, error, form)

    async def _confirm(self, request: Request, account: Account, form: Form) -> LoginResult:
        _, done = await self._flow.confirm_sms(
            account,
            form.get("enrollment_id", ""),
            form.get("code", ""),
            self._kit.callers.browser(request),
            next=self._url(request, f"{ACCOUNT_PATH}?done=sms"),
        )
        return done

    async def _page(
        self,
        request: Request,
        account: Account,
        id: str,
        error: ApiError | None = None,
        form: Form | None = None,
    ) -> Response:
        typed, found = form or {}, None
        if id:
            holder = held_by_session(account.session)
            found = await self._sms.enrollments.find(account.user.id, id, holder)
        sent, now, text = found.sent if found else None, self._kit.clock(), ErrorText.of(error)
        shown_error = text.error
        problem = translate(OVER) if id and found is None else text.problem
        if isinstance(error, InvalidArgument) and found is not None:
            # Between the message and its code the person has come to have too many.
            shown_error, problem = None, text.error
        return self._kit.pages.page(
            request,
            "second_factors/connect_sms.html",
            status=error.status if error is not None else 200,
            retry_after=error.retry_after if error is not None else None,
            enrollment=found,
            action=self._url(request, CONNECT_SMS_PATH),
            back=self._url(request, ACCOUNT_PATH),
            countries=self._sms.countries,
            typed_country=typed.get("country", self._sms.first_country),
            typed_phone=typed.get("phone", ""),
            resend_after=sent.resend_after if sent is not None else 0,
            expires_in=max(0, sent.expires_at - now) if sent is not None else 0,
            is_delayed=self._sms.is_failing,
            in_development=isinstance(self._sms.sender, TextOutbox),
            notice=None,
            error=shown_error,
            problem=problem,
            wait=text.wait,
        )

    def _url(self, request: Request, path: str) -> str:
        return root_path(request) + self._kit.prefix + path


def _path_of(id: str) -> str:
    return f"{CONNECT_SMS_PATH}?{urlencode({'enrollment_id': id})}" if id else CONNECT_SMS_PATH

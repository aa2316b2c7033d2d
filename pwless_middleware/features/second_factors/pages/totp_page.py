"""The account's page on which an authenticator app is added."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.people.given_name import LONGEST
from pwless_middleware.errors import ApiError, InvalidArgument, LoginDenied, Unauthenticated
from pwless_middleware.features.second_factors.flow import SecondFactorFlow, held_by_session
from pwless_middleware.features.second_factors.pages.paths import (
    ACCOUNT_PATH,
    CONNECT_TOTP_PATH,
    RECOVERY_CODES_PATH,
)
from pwless_middleware.features.second_factors.pages.shown_enrollment import OVER, ShownTOTP
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


class TOTPPage:
    """Show the page, and take the first code.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.routes = (Route(CONNECT_TOTP_PATH, {"GET": self.show, "POST": self.post}),)

    async def show(self, request: Request) -> Response:
        """Say what it takes; once it is begun, show the QR code.

        It is shown again until the code has come back: whoever is asked meanwhile to prove once
        more who they are comes back to the same one.
        """
        account = await self._flow.own.require(request)
        return await self._page(request, account, request.query_params.get("enrollment_id", ""))

    async def post(self, request: Request) -> Response:
        """Begin, or take the first code."""
        form = await read_form(request)
        id = form.get("enrollment_id", "")
        account = await self._flow.own.require(request, back=_path_of(id))
        holder, user = held_by_session(account.session), account.user
        try:
            if not id:
                begun = await self._flow.totp.begin(user.id, user.email, holder)
                return self._kit.pages.redirect(request, _path_of(begun.enrollment_id))
            caller = self._kit.callers.browser(request)
            attempt = self._confirm(request, account, form)
            return await respond_with_page(self._kit, request, caller, attempt)
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return await self._page(request, account, id, error, name=form.get("name", ""))

    async def _confirm(self, request: Request, account: Account, form: Form) -> LoginResult:
        state = await self._flow.own.state(account.user.id)
        path = f"{ACCOUNT_PATH}?done=totp"
        if self._flow.rules().recovery_codes and not state.recovery_codes:
            path = RECOVERY_CODES_PATH
        _, done = await self._flow.confirm_totp(
            account,
            form.get("enrollment_id", ""),
            form.get("code", ""),
            self._kit.callers.browser(request),
            name=form.get("name", ""),
            next=self._url(request, path),
        )
        return done

    async def _page(
        self,
        request: Request,
        account: Account,
        id: str,
        error: ApiError | None = None,
        *,
        name: str = "",
    ) -> Response:
        user, found = account.user, None
        if id:
            holder = held_by_session(account.session)
            found = await self._flow.totp.find(user.id, user.email, id, holder)
        factors = (await self._flow.own.state(user.id)).factors
        has_app = any(factor.kind == "totp" for factor in factors)
        text = ErrorText.of(error)
        problem = translate(OVER) if id and found is None else text.problem
        shown_error = text.error
        if isinstance(error, InvalidArgument) and found is None:
            problem, shown_error = text.error, None  # there is no room for one
        return self._kit.pages.page(
            request,
            "second_factors/connect_totp.html",
            status=error.status if error is not None else 200,
            retry_after=error.retry_after if error is not None else None,
            enrollment=ShownTOTP.of(found) if found is not None else None,
            action=self._url(request, CONNECT_TOTP_PATH),
            error=shown_error,
            problem=problem,
            wait=text.wait,
            typed_name=name if has_app else None,
            most_name=LONGEST,
            back=self._url(request, ACCOUNT_PATH),
            is_step=False,
        )

    def _url(self, request: Request, path: str) -> str:
        return root_path(request) + self._kit.prefix + path


def _path_of(id: str) -> str:
    return f"{CONNECT_TOTP_PATH}?{urlencode({'enrollment_id': id})}" if id else CONNECT_TOTP_PATH

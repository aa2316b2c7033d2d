"""The pages of a pending login's step: with the passkey that somebody has, or their first one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.core.logins.login import Login, PendingLogin
from pwless_middleware.errors import ApiError, LoginDenied, RequestExpired, Unauthenticated
from pwless_middleware.features.passkeys.ceremonies.answers import METHOD
from pwless_middleware.features.passkeys.ceremonies.prompts import Owner
from pwless_middleware.features.passkeys.flow import ENROLLMENT_PATH, STEP_PATH, PasskeyFlow
from pwless_middleware.features.passkeys.pages.credential_form import has_credential, read_answer
from pwless_middleware.features.passkeys.pages.login_part import SCRIPT
from pwless_middleware.features.passkeys.pages.problem import Problem
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import Form
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import json_response, root_path
from pwless_middleware.web.routing.routes import Route


@dataclass(frozen=True, slots=True)
class _Step:
    """A pending login, and who is at it.

    Attributes:
        pending: the login.
        login_id: its handle.
        caller: the browser.
    """

    pending: PendingLogin
    login_id: str
    caller: Caller

    @property
    def enrolls(self) -> bool:
        return self.pending.steps[0].enrolls

    @property
    def holder(self) -> str:
        return f"login:{self.login_id}"


class StepPages:
    """Show the page of the step that a browser's pending login is at, and take the answer.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        methods = {"GET": self.show, "POST": self.post}
        self.routes = (Route(STEP_PATH, methods), Route(ENROLLMENT_PATH, methods))

    async def show(self, request: Request) -> Response:
        """Show the button; or go where the login waits."""
        step = await self._step(request)
        path = step.pending.steps[0].path
        # A step that other factors satisfy too has a page of its own, which leads to the first
        # passkey, and has a part for who has one.
        is_here = request.scope["path"].endswith((path, ENROLLMENT_PATH) if step.enrolls else path)
        if not is_here:
            return self._kit.pages.redirect(request, path)
        login = step.pending.login
        if not await self._flow.fits(login.user_id, enrolls=step.enrolls, strength=login.strength):
            # One was made, or removed, since this login began: a new one asks for what fits.
            raise RequestExpired
        return self._page(request, step)

    async def post(self, request: Request) -> Response:
        """Return what the browser is asked, to a form without an answer; else do the step."""
        form = await read_form(request)
        step = await self._step(request)
        try:
            if not has_credential(form):
                return await self._ask(request, step)
            return await self._do(request, step, form)
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return self._page(request, await self._step(request), error)

    async def _step(self, request: Request) -> _Step:
        """Return the pending login of a browser.

        Raises:
            RequestExpired: there is none, or it waits for something else.
        """
        caller = self._kit.callers.browser(request)
        login_id = caller.pending or ""
        pending = await self._kit.logins.pending(login_id, caller)
        if METHOD not in pending.steps[0].methods:
            raise RequestExpired
        await self._kit.pages.write_for(request, pending.login.organization)
        return _Step(pending, login_id, caller)

    async def _ask(self, request: Request, step: _Step) -> Response:
        prompt = await self._flow.step_options(
            await self._owner(step),
            step.caller,
            step.holder,
            enrolls=step.enrolls,
            strength=step.pending.login.strength,
        )
        if prompt is None:
            return self._kit.pages.redirect(request, step.pending.steps[0].path)
        return json_response(prompt.to_json(self._kit.clock()))

    async def _do(self, request: Request, step: _Step, form: Form) -> Response:
        owner, answer = await self._owner(step), read_answer(form)

        async def check(login: Login) -> StepProof:
            return await self._flow.check_step(
                owner,
                *answer,
                step.caller,
                step.holder,
                enrolls=step.enrolls,
                strength=step.pending.login.strength,
            )

        attempt = self._kit.logins.do_step(step.login_id, METHOD, step.caller, check)
        return await respond_with_page(self._kit, request, step.caller, attempt)

    async def _owner(self, step: _Step) -> Owner:
        """Return whose step it is. Only a new passkey tells the browser what they are called."""
        login = step.pending.login
        user = await self._kit.users.load(login.user_id) if step.enrolls else None
        return Owner(login.user_id, login.email, user.display_name if user else login.email)

    def _page(self, request: Request, step: _Step, error: ApiError | None = None) -> Response:
        problem, path = Problem.of(error), step.pending.steps[0].path
        return self._kit.pages.page(
            request,
            "passkeys/step.html",
            leads_away=self._kit.logins.may_lead_away,
            status=problem.status,
            retry_after=problem.retry_after,
            scripts=[SCRIPT],
            action=self._kit.pages.here(request),
            ways_url="" if path in (STEP_PATH, ENROLLMENT_PATH) else self._url(request, path),
            enrolls=step.enrolls,
            user_email=step.pending.login.email,
            problem=problem.text,
            wait=problem.wait,
        )

    def _url(self, request: Request, path: str) -> str:
        return root_path(request) + self._kit.prefix + path

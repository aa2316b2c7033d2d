"""The page of a pending login's step: one way, the best one first, and the way to the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.dataclass import dataclass
from pwless_middleware.core.logins.login import Login
from pwless_middleware.errors import (
    ApiError,
    LoginDenied,
    RequestExpired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.features.second_factors.names import RECOVERY_CODE, STEP_PATH
from pwless_middleware.features.second_factors.pages.pending import PendingStep
from pwless_middleware.features.second_factors.pages.way import Way
from pwless_middleware.features.second_factors.trusted_browsers import TrustedBrowsers
from pwless_middleware.flows.logins.door import LoginResult
from pwless_middleware.flows.logins.proofs import StepProof
from pwless_middleware.languages.current import translate
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.parts.parts import Form, Part, ShownPart
from pwless_middleware.web.parts.steps import OfferedStep, StepPart
from pwless_middleware.web.requests.bodies import read_form
from pwless_middleware.web.responses.login_responses import respond_with_page
from pwless_middleware.web.responses.responses import root_path, with_cookies
from pwless_middleware.web.responses.step_problem import with_problem
from pwless_middleware.web.routing.routes import Route


@dataclass(frozen=True, slots=True)
class _Shown:
    """A way that this person has.

    Attributes:
        offered: the way.
        page: how it is done on a page.
        part: what is shown of it now.
    """

    offered: OfferedStep
    page: StepPart
    part: Part

    @property
    def name(self) -> str:
        return self.offered.method.name


class StepPage:
    """Show the page, and take the answer.

    Args:
        kit: everything below.
        browsers: the trusted ones; this one becomes one of them if the person wants it.
    """

    def __init__(self, kit: Kit, browsers: TrustedBrowsers) -> None:
        self._kit = kit
        self._browsers = browsers
        self.routes = (Route(STEP_PATH, {"GET": self.show, "POST": self.post}),)

    async def show(self, request: Request) -> Response:
        """Show the way that the query names, else the best one."""
        at = await PendingStep.of(self._kit, request, STEP_PATH)
        return await self._page(request, at, request.query_params.get("method", ""))

    async def post(self, request: Request) -> Response:
        """Send what there is to answer, or check an answer and go on with the login."""
        form = await read_form(request)
        at, name = await PendingStep.of(self._kit, request, STEP_PATH), form.get("method", "")
        ways = {offered.method.name: (offered, page) for offered, page in at.list_ways(self._kit)}
        if name not in ways:
            return await self._page(request, at, "")
        offered, page = ways[name]
        try:
            if page.prepare is not None:
                prepared = await page.prepare(request, at.subject, form)
                if isinstance(prepared, Response):
                    return prepared
                if prepared is not None:
                    return await self._page(request, at, name, prepared)
            return await self._do(request, at, offered, page, form)
        except (LoginDenied, Unauthenticated):
            raise
        except ApiError as error:
            self._kit.pages.outages.note(error)
            at = await PendingStep.of(self._kit, request, STEP_PATH)  # it may be over by now
            part = await page.show(request, at.subject)
            shown = with_problem(part, error) if part is not None else None
            is_locked = isinstance(error, TooManyAttempts)
            return await self._page(request, at, name, shown, is_locked=is_locked)

    async def _do(
        self, request: Request, at: PendingStep, offered: OfferedStep, page: StepPart, form: Form
    ) -> Response:
        method, subject, caller = offered.method, at.subject, at.caller
        values = method.fields.read_json(page.read(form))

        async def check(login: Login) -> StepProof | None:
            return await method.check(request, subject, values)

        attempt = offered.logins.do_step(at.login_id, method.name, caller, check)
        if form.get("trust") != "yes" or not await self._days(at, method.name):
            return await respond_with_page(self._kit, request, caller, attempt)
        generation = await self._browsers.generation(subject.user_id)
        cookies: list[str] = []

        async def attempt_and_trust() -> LoginResult:
            done = await attempt
            cookies.extend(await self._trust(done, at, generation))
            return done

        response = await respond_with_page(self._kit, request, caller, attempt_and_trust())
        return with_cookies(response, cookies)

    async def _trust(self, done: LoginResult, at: PendingStep, generation: int) -> Sequence[str]:
        """Return the cookie by which this browser is trusted; who is in goes on without, too."""
        try:
            cookie = await self._browsers.trust(done.session, at.caller, generation=generation)
        except ApiError as error:
            self._kit.pages.outages.note(error)
            return ()
        return () if cookie is None else (cookie,)

    async def _days(self, at: PendingStep, method: str) -> int:
        """Return for how many days a browser can be trusted; 0 for who has lost their factors."""
        if method == RECOVERY_CODE:
            return 0
        return await self._browsers.days_of_login(at.pending.login)

    async def _page(
        self,
        request: Request,
        at: PendingStep,
        name: str,
        posted: Part | None = None,
        *,
        is_locked: bool = False,
    ) -> Response:
        """Return the page.

        Args:
            request: to it.
            at: the step.
            name: of the way to show; the best one where it is none of this person's.
            posted: what is shown of it; `None` for what a GET shows.
            is_locked: whether its tries are spent, and with them those of all ways that share them:
                recovery codes have a count of their own (security rule 42).

        Raises:
            RequestExpired: none is left: they were removed since this login began. A new one asks
                for what fits.
        """
        shown = await self._find_shown(request, at, {name: posted} if posted is not None else {})
        if not shown:
            raise RequestExpired
        one = next((one for one in shown if one.name == name), shown[0])
        context = one.part.context
        html = self._kit.pages.part(
            request,
            one.page.template,
            **{"trusted_days": await self._days(at, one.name), **context},
            method=one.name,
            action=self._url(request, one.name),
        )
        others = [
            Way(other.name, translate(other.page.title), self._url(request, other.name))
            for other in shown
            if other is not one
            and not (is_locked and (other.name == RECOVERY_CODE) == (one.name == RECOVERY_CODE))
        ]
        return self._kit.pages.page(
            request,
            "second_factors/step.html",
            leads_away=self._kit.logins.may_lead_away,
            status=one.part.status,
            retry_after=one.part.retry_after,
            scripts=[one.page.script] if one.page.script else [],
            icon=one.name,
            part=ShownPart(html, is_scripted=one.page.is_scripted),
            others=others,
            is_stuck=bool(context.get("wait")),
            user_email=at.pending.login.email,
            error=context.get("error"),
            problem=context.get("problem"),
        )

    async def _find_shown(
        self, request: Request, at: PendingStep, posted: Mapping[str, Part]
    ) -> list[_Shown]:
        found = []
        for offered, page in at.list_ways(self._kit):
            part = posted.get(offered.method.name) or await page.show(request, at.subject)
            if part is not None:
                found.append(_Shown(offered, page, part))
        return found

    def _url(self, request: Request, method: str) -> str:
        return f"{root_path(request)}{self._kit.prefix}{STEP_PATH}?{urlencode({'method': method})}"

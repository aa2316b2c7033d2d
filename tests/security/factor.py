"""Features that exist in the tests only: they prove that a new rule needs no change in the package.

`Factor` is a second factor, `Policy` a rule of an organisation. Both are written with
`pwless_middleware.kit` alone, as somebody else's would be.
"""

from __future__ import annotations

from collections.abc import Collection

from pwless_middleware.kit import (
    ApiError,
    Authentication,
    ChallengeContext,
    Kit,
    Login,
    LoginDenied,
    Mounted,
    Redirect,
    Request,
    Response,
    Route,
    Step,
    StepCheck,
    StepProof,
    read_form,
    read_json,
    respond_with_json,
    respond_with_page,
)

RIGHT = "open sesame"


class Factor:
    """Ask everybody for a secret word, by page and by JSON.

    Args:
        method: its name; two factors with two names may stand beside each other.
        only: the addresses that are asked; `None` asks everybody.
    """

    def __init__(self, method: str = "secret", *, only: Collection[str] | None = None) -> None:
        self.name = f"Factor_{method}"
        self.method = method
        self.only = only
        self.asked: list[Login] = []
        self.checked = 0

    def mount(self, kit: Kit) -> Mounted:
        """Add the step's page, its JSON call, and the rule that asks for it."""
        self._kit = kit
        path = f"/step/{self.method}"
        return Mounted(
            routes=(
                Route(path, {"GET": self._show, "POST": self._page}),
                Route(f"/api/v1{path}", {"POST": self._api}, "api"),
            ),
            before_session=(self._rule,),
            proves=(self.method,),
        )

    async def _rule(self, login: Login) -> Step | None:
        self.asked.append(login)
        if self.only is not None and login.email not in self.only:
            return None
        return Step((self.method,), f"/step/{self.method}")

    async def _show(self, request: Request) -> Response:
        caller = self._kit.callers.browser(request)
        pending = await self._kit.logins.pending(caller.pending or "", caller)
        return Response(f"a step for {pending.login.user_id}")

    async def _page(self, request: Request) -> Response:
        form = await read_form(request)
        caller = self._kit.callers.browser(request)
        check = self._check(form.get("secret", ""))
        login_id = form.get("login_id") or caller.pending or ""
        attempt = self._kit.logins.do_step(login_id, self.method, caller, check)
        return await respond_with_page(self._kit, request, caller, attempt)

    async def _api(self, request: Request) -> Response:
        caller = await self._kit.callers.api(request)
        body = await read_json(request)
        check = self._check(str(body.get("secret", "")))
        attempt = self._kit.logins.do_step(str(body["login_id"]), self.method, caller, check)
        return await respond_with_json(self._kit, caller, attempt)

    def _check(self, secret: str) -> StepCheck:
        async def check(login: Login) -> StepProof | None:
            self.checked += 1
            if secret != RIGHT:
                return None
            return StepProof(Authentication(self.method, self._kit.clock()))

        return check


class Policy:
    """Refuse a domain before any mail, and an address before any session.

    Args:
        domain: refused before a challenge.
        address: refused before a session.
        error: what is raised; `None` is a plain `LoginDenied`.
        leads_to: where the login is done instead; `None` refuses with the error.
    """

    def __init__(
        self,
        *,
        domain: str = "",
        address: str = "",
        error: ApiError | None = None,
        leads_to: str | None = None,
    ) -> None:
        self.domain = domain
        self.address = address
        self.error = error or LoginDenied()
        self.leads_to = leads_to
        self.saw: list[ChallengeContext] = []

    def mount(self, kit: Kit) -> Mounted:
        """Add both rules."""
        return Mounted(before_challenge=(self._challenge,), before_session=(self._session,))

    async def _challenge(self, context: ChallengeContext) -> Redirect | None:
        self.saw.append(context)
        return self._answer() if context.domain == self.domain else None

    async def _session(self, login: Login) -> Redirect | None:
        return self._answer() if login.email == self.address else None

    def _answer(self) -> Redirect:
        if self.leads_to is None:
            raise self.error
        return Redirect(self.leads_to)

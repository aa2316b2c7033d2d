"""A second factor with two ways: a one-time password, or one of a few recovery codes."""

from __future__ import annotations

from collections.abc import Mapping

from pwless_middleware.kit import (
    Authentication,
    Caller,
    Field,
    Fields,
    InvalidArgument,
    Kit,
    Login,
    LoginResult,
    Mounted,
    Request,
    Response,
    Route,
    Step,
    StepMethod,
    StepProof,
    StepSubject,
    Values,
    read_form,
    respond_with_page,
)

METHODS = ("totp", "recovery_code")


class SecondFactors:
    """Ask everybody for a one-time password, which is the counter itself, or a recovery code.

    Attributes:
        recovery_codes: those that are left.
    """

    def __init__(self) -> None:
        self.recovery_codes = {"horse-battery", "staple-correct"}

    def mount(self, kit: Kit) -> Mounted:
        """Add the step's page, and how it is done in JSON."""
        self._kit = kit
        self._counters = kit.records("counters")
        self._used = kit.records("used")
        return Mounted(
            routes=(Route("/step/second", {"POST": self._page}),),
            steps=tuple(self._step(method) for method in METHODS),
            proves=METHODS,
            recovers=("recovery_code",),
            before_session=(self._rule,),
        )

    async def last_counter(self, user_id: str) -> int:
        """Return the counter that was used last."""
        record = await self._counters.read(user_id)
        return int(record.value) if record is not None else -1

    async def _rule(self, login: Login) -> Step:
        return Step(METHODS, "/step/second")

    async def _page(self, request: Request) -> Response:
        form, caller = await read_form(request), self._kit.callers.browser(request)
        attempt = self._attempt(form, caller.pending or "", caller)
        return await respond_with_page(self._kit, request, caller, attempt)

    def _step(self, method: str) -> StepMethod:
        async def ask(request: Request, subject: StepSubject) -> Mapping[str, object]:
            return {"digits": 6} if method == "totp" else {}

        async def check(request: Request, subject: StepSubject, values: Values) -> StepProof | None:
            return await self._check(method, values.text("code"), subject.user_id)

        code = Field(about="The code.", example="123456", required=True, longest=40)
        return StepMethod(name=method, fields=Fields({"code": code}), ask=ask, check=check)

    async def _attempt(
        self, given: Mapping[str, str], login_id: str, caller: Caller
    ) -> LoginResult:
        method, code = given["method"], given["code"]
        if method not in METHODS:
            raise InvalidArgument.of("method", "No such method.", "one_of")

        async def check(login: Login) -> StepProof | None:
            return await self._check(method, code, login.user_id)

        return await self._kit.logins.do_step(login_id, method, caller, check)

    async def _check(self, method: str, code: str, user_id: str) -> StepProof | None:
        authentication = Authentication(method, self._kit.clock())
        if method == "totp":
            if not code.isascii() or int(code) <= await self.last_counter(user_id):
                return None
            return StepProof(
                authentication, self._counters.writes(user_id, code.encode(), ttl=3600)
            )
        if code not in self.recovery_codes or not await self._used.add(code, ttl=3600):
            return None
        return StepProof(authentication)

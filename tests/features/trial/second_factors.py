"""A second factor with two ways: a one-time password, or one of a few recovery codes."""

from __future__ import annotations

from pwless_middleware.kit import (
    Authentication,
    InvalidArgument,
    Kit,
    Login,
    Mounted,
    Request,
    Response,
    Route,
    Step,
    StepProof,
    read_form,
    read_json,
    respond_with_json,
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
        """Add the step's page and its JSON call."""
        self._kit = kit
        self._counters = kit.records("counters")
        self._used = kit.records("used")
        return Mounted(
            routes=(
                Route("/step/second", {"POST": self._page}),
                Route("/api/v1/step", {"POST": self._api}, "api"),
            ),
            proves=METHODS,
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

    async def _api(self, request: Request) -> Response:
        caller = await self._kit.callers.api(request)
        body = {name: str(value) for name, value in (await read_json(request)).items()}
        return await respond_with_json(
            self._kit, caller, self._attempt(body, body["login_id"], caller)
        )

    async def _attempt(self, given: dict[str, str], login_id: str, caller):  # type: ignore[no-untyped-def]
        method, code = given["method"], given["code"]
        if method not in METHODS:
            raise InvalidArgument.of("method", "No such method.", "one_of")

        async def check(login: Login) -> StepProof | None:
            authentication = Authentication(method, self._kit.clock())
            if method == "totp":
                if not code.isascii() or int(code) <= await self.last_counter(login.user_id):
                    return None
                write = self._counters.writes(login.user_id, code.encode(), ttl=3600)
                return StepProof(authentication, write)
            if code not in self.recovery_codes or not await self._used.add(code, ttl=3600):
                return None
            return StepProof(authentication)

        return await self._kit.logins.do_step(login_id, method, caller, check)

"""A login method that knows its people by user id, as passkeys do, with a name for a signature."""

from __future__ import annotations

import secrets

from pwless_middleware.kit import (
    Authentication,
    EnrolledUser,
    Kit,
    Mounted,
    Proof,
    Request,
    RequestExpired,
    Response,
    Route,
    UserId,
    json_response,
    read_form,
    read_json,
    respond_with_json,
    respond_with_page,
)


class PasskeyLike:
    """Sign in the owner of a credential, whichever address they have now.

    Attributes:
        enrolled: credential to its owner; a real one keeps this in a database.
    """

    def __init__(self) -> None:
        self.enrolled: dict[str, EnrolledUser] = {}

    def enroll(self, credential: str, user_id: str, address: str | None) -> None:
        """Remember whose a credential is, and which address they have at this time."""
        self.enrolled[credential] = EnrolledUser(UserId(user_id), address)  # type: ignore[arg-type]

    def mount(self, kit: Kit) -> Mounted:
        """Add the routes of a login, by page and by JSON."""
        self._kit = kit
        self._challenges = kit.records("challenges")
        return Mounted(
            routes=(
                Route("/passkeys/options", {"POST": self._options}, "api"),
                Route("/passkeys/login", {"POST": self._page}),
                Route("/api/v1/passkeys/login/verify", {"POST": self._api}, "api"),
                Route("/passkeys/step-up", {"POST": self._step_up}),
            ),
            proves=("passkey",),
        )

    async def _options(self, request: Request) -> Response:
        challenge = secrets.token_urlsafe(16)
        await self._challenges.put(challenge, b"", ttl=300)
        return json_response({"challenge": challenge})

    async def _page(self, request: Request) -> Response:
        form, caller = await read_form(request), self._kit.callers.browser(request)
        attempt = self._kit.logins.finish(self._proof(form), caller)
        return await respond_with_page(self._kit, request, caller, attempt)

    async def _api(self, request: Request) -> Response:
        caller = await self._kit.callers.api(request)
        body = {name: str(value) for name, value in (await read_json(request)).items()}
        attempt = self._kit.logins.finish(self._proof(body), caller)
        return await respond_with_json(self._kit, caller, attempt)

    async def _step_up(self, request: Request) -> Response:
        form, caller = await read_form(request), self._kit.callers.browser(request)
        session = await self._kit.sessions.find(caller.session or "")
        if session is None:
            raise RequestExpired
        attempt = self._kit.logins.step_up(self._proof(form), caller, session)
        return await respond_with_page(self._kit, request, caller, attempt)

    def _proof(self, given: dict[str, str]) -> Proof:
        owner = self.enrolled.get(given["credential"])
        if owner is None:
            raise RequestExpired
        factors = ("passkey", "user_verification")
        return Proof(
            subject=owner,
            authentication=Authentication("passkey", self._kit.clock(), factors, True),
            takes=self._challenges.place(given["challenge"]),
            refusal=RequestExpired(),
            answer={"credential": given["credential"]},
        )

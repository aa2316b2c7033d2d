"""The JSON interface: sign in with a passkey, and a person's own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.keys.base64url import b64
from pwless_middleware.core.logins.caller import Caller
from pwless_middleware.errors import (
    ForbiddenOrigin,
    InvalidArgument,
    InvalidCredential,
    LoginDenied,
    LoginElsewhere,
    NotFound,
    RateLimited,
    RequestExpired,
    StepRequired,
    StepUpRequired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.features.passkeys.browser import PasskeyBrowser
from pwless_middleware.features.passkeys.ceremonies.ceremonies import (
    held_by_browser,
    held_by_server,
    held_by_session,
)
from pwless_middleware.features.passkeys.ceremonies.prompts import Owner
from pwless_middleware.features.passkeys.fields import (
    ADD,
    CREATION_OPTIONS,
    LOGIN,
    LOGIN_OPTIONS,
    PASSKEY,
    PASSKEYS,
    PROMPT,
    RENAME,
    public_passkey,
)
from pwless_middleware.features.passkeys.flow import PasskeyFlow
from pwless_middleware.features.passkeys.own_passkeys import read_id
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.responses.login_responses import SIGNED_IN, respond_with_json
from pwless_middleware.web.responses.responses import EVERYWHERE, json_response
from pwless_middleware.web.routing.operations import (
    API_KEY,
    ORIGIN,
    PASSKEY_COOKIE,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route

BASE = "/api/v1/passkeys"


class PasskeyApi:
    """Answer the resource.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: PasskeyFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.routes = (
            Route(
                f"{BASE}/login/options",
                {"POST": self.login_options},
                "api",
                {"POST": _LOGIN_OPTIONS},
            ),
            Route(f"{BASE}/login/verify", {"POST": self.login}, "api", {"POST": _LOGIN}),
            Route(f"{BASE}/options", {"POST": self.options}, "api", {"POST": _OPTIONS}),
            Route(BASE, {"GET": self.list, "POST": self.add}, "api", {"GET": _LIST, "POST": _ADD}),
            Route(
                f"{BASE}/{{id}}",
                {"PATCH": self.rename, "DELETE": self.remove},
                "api",
                {"PATCH": _RENAME, "DELETE": _REMOVE},
            ),
        )

    # --- sign in -------------------------------------------------------------------------------

    async def login_options(self, request: Request) -> Response:
        """Return what signs anybody in, and give the browser the cookie by which it answers."""
        caller = await self._kit.callers.api(request)
        values = LOGIN_OPTIONS.read_json(await read_json(request, may_be_empty=True))
        now = self._kit.clock()
        if not caller.is_browser:
            prompt = self._flow.login_options(caller, held_by_server(caller))
            return json_response(prompt.to_json(now))
        known = self._browser(request)
        browser = (known or PasskeyBrowser.make()).with_authenticator(
            values.flag("platform_authenticator")
        )
        prompt = self._flow.login_options(caller, held_by_browser(browser.nonce))
        cookies = []
        if browser != known:
            cookies.append(self._kit.cookies.set_passkeys(browser.pack()))
        return json_response(prompt.to_json(now), cookies=cookies)

    async def login(self, request: Request) -> Response:
        """Check the browser's answer, and answer with the session."""
        caller = await self._kit.callers.api(request)
        values = LOGIN.read_json(await read_json(request))
        attempt = self._flow.login(
            values.text("ceremony_id"),
            values.json("credential") or {},
            caller,
            self._holder(request, caller),
            organization=values.get("organization"),
        )
        return await respond_with_json(self._kit, caller, attempt)

    def _holder(self, request: Request, caller: Caller) -> str:
        if not caller.is_browser:
            return held_by_server(caller)
        browser = self._browser(request)
        if browser is None:
            # The cookie that came with the options is gone: whose answer it is cannot be known.
            raise RequestExpired
        return held_by_browser(browser.nonce)

    def _browser(self, request: Request) -> PasskeyBrowser | None:
        return PasskeyBrowser.unpack(self._kit.cookies.passkeys(request.scope["headers"]))

    # --- one's own -----------------------------------------------------------------------------

    async def options(self, request: Request) -> Response:
        """Return what makes a passkey."""
        account = await self._flow.own.require(request)
        values = CREATION_OPTIONS.read_json(await read_json(request, may_be_empty=True))
        prompt = await self._flow.new.options(
            Owner.of(account.user),
            held_by_session(account.session),
            self._kit.callers.browser(request),
            conditional=values.flag("conditional") or False,
        )
        return json_response(prompt.to_json(self._kit.clock()))

    async def add(self, request: Request) -> Response:
        """Keep a passkey that was made."""
        account = await self._flow.own.require(request)
        values = ADD.read_json(await read_json(request))
        passkey = await self._flow.new.add(
            Owner.of(account.user),
            values.text("ceremony_id"),
            values.json("credential") or {},
            self._kit.callers.browser(request),
            held_by_session(account.session),
            name=values.get("name") or "",
            only_first=self._flow.new.is_weak(account),
        )
        return json_response(public_passkey(passkey), status=201)

    async def list(self, request: Request) -> Response:
        """List the person's passkeys, with what keeps the browser's own list in step."""
        user = (await self._kit.accounts.require(request)).user
        passkeys = await self._flow.own.list(user.id)
        handle = await self._flow.own.user_handle(user.id)
        content: dict[str, object] = {
            "passkeys": [public_passkey(passkey) for passkey in passkeys],
            "rp_id": self._flow.party.id,
            "user_name": user.email,
            "user_display_name": user.display_name,
        }
        if handle is not None:
            content["user_handle"] = b64(handle)
        return json_response(content)

    async def rename(self, request: Request) -> Response:
        """Give one another name."""
        account = await self._kit.accounts.require(request)
        values = RENAME.read_json(await read_json(request))
        id = read_id(request.path_params["id"])
        caller = self._kit.callers.browser(request)
        await self._flow.own.rename(account.user.id, id, values.text("name"), caller=caller)
        kept = await self._flow.own.list(account.user.id)
        passkey = next((one for one in kept if one.id == id), None)
        if passkey is None:
            raise NotFound
        return json_response(public_passkey(passkey))

    async def remove(self, request: Request) -> Response:
        """Remove one."""
        account = await self._flow.own.require(request)
        caller = self._kit.callers.browser(request)
        id = read_id(request.path_params["id"])
        await self._flow.own.remove(account.user.id, id, session=account.session, caller=caller)
        return Response(status_code=204, headers=EVERYWHERE)


_OWN_READS = ((SESSION_TOKEN,), (SESSION_COOKIE,))
_OWN_WRITES = ((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN))
_ID = {"id": "The credential id of a passkey."}

_LOGIN_OPTIONS = Operation(
    id="getPasskeyLoginOptions",
    summary="Return what a browser is asked, to sign in with a passkey",
    about="The same for everybody; no address is asked for. The body may be empty.",
    security=((API_KEY,), (ORIGIN,)),
    body=LOGIN_OPTIONS,
    answers={200: PROMPT},
    sets_cookie=True,
    errors=(Unauthenticated, ForbiddenOrigin, RateLimited),
    next={"loginWithPasskey": ("ceremony_id", "$response.body#/ceremony_id")},
)
_LOGIN = Operation(
    id="loginWithPasskey",
    summary="Check a passkey’s answer, and sign in",
    about=(
        "An API key gets the session as a token, a browser as a cookie. A ceremony is answered "
        "once, whether the answer is right or wrong. `unknown_credential_id` in the detail of an "
        "error is for `PublicKeyCredential.signalUnknownCredential`."
    ),
    security=((API_KEY,), (ORIGIN, PASSKEY_COOKIE)),
    body=LOGIN,
    answers={200: SIGNED_IN},
    sets_cookie=True,
    errors=(
        InvalidCredential,
        Unauthenticated,
        ForbiddenOrigin,
        LoginDenied,
        LoginElsewhere,
        StepRequired,
        RequestExpired,
        TooManyAttempts,
    ),
)
_OPTIONS = Operation(
    id="getPasskeyCreationOptions",
    summary="Return what a browser is asked, to make a passkey",
    about="Needs a fresh proof, by a passkey for who has one. The body may be empty.",
    security=_OWN_WRITES,
    body=CREATION_OPTIONS,
    answers={200: PROMPT},
    errors=(Unauthenticated, ForbiddenOrigin, StepUpRequired, RateLimited),
    next={"addPasskey": ("ceremony_id", "$response.body#/ceremony_id")},
)
_ADD = Operation(
    id="addPasskey",
    summary="Keep a passkey that was made",
    about="The person is told by email. Needs a fresh proof, by a passkey for who has one.",
    security=_OWN_WRITES,
    body=ADD,
    answers={201: PASSKEY},
    errors=(
        InvalidCredential,
        Unauthenticated,
        ForbiddenOrigin,
        StepUpRequired,
        RequestExpired,
        TooManyAttempts,
        RateLimited,
    ),
)
_LIST = Operation(
    id="listPasskeys",
    summary="A person’s own passkeys",
    about="With what `signalAllAcceptedCredentials` and `signalCurrentUserDetails` take.",
    security=_OWN_READS,
    answers={200: PASSKEYS},
    errors=(Unauthenticated,),
    next={
        "renamePasskey": ("id", "$response.body#/passkeys/0/id"),
        "removePasskey": ("id", "$response.body#/passkeys/0/id"),
    },
)
_RENAME = Operation(
    id="renamePasskey",
    summary="Give a passkey another name",
    parameters=_ID,
    security=_OWN_WRITES,
    body=RENAME,
    answers={200: PASSKEY},
    errors=(Unauthenticated, ForbiddenOrigin, NotFound),
)
_REMOVE = Operation(
    id="removePasskey",
    summary="Remove a passkey",
    about=(
        "The person is told by email. The last one stays where nothing else lets the person in. "
        "Needs a fresh proof by a passkey."
    ),
    parameters=_ID,
    security=_OWN_WRITES,
    answers={204: None},
    errors=(
        InvalidArgument,
        Unauthenticated,
        ForbiddenOrigin,
        StepUpRequired,
        NotFound,
        RateLimited,
    ),
)

"""The JSON interface: a person's own second factors, and those of a user for servers."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.core.keys.base64url import unb64
from pwless_middleware.errors import (
    InvalidArgument,
    NotFound,
    RequestExpired,
    Unauthenticated,
)
from pwless_middleware.features.second_factors.api import operations
from pwless_middleware.features.second_factors.api.added_factor import (
    holder_of,
    respond_with_factor,
)
from pwless_middleware.features.second_factors.api.factor_fields import (
    CONFIRM,
    RENAME,
    public_browser,
    public_factor,
    public_reset,
    public_state,
)
from pwless_middleware.features.second_factors.flow import SecondFactorFlow, held_by_session
from pwless_middleware.features.second_factors.own_factors import FRESH_WITHIN
from pwless_middleware.flows.sessions.sessions import TOKEN_PREFIX
from pwless_middleware.text import Text
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.user_path import find_user_id
from pwless_middleware.web.responses.responses import EVERYWHERE, json_response, with_cookies
from pwless_middleware.web.routing.routes import Route

BASE: Final = "/api/v1/factors"
_TRUSTED: Final = f"{BASE}/trusted-browsers"


class FactorApi:
    """Answer the resource.

    Args:
        kit: everything below.
        flow: does it.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow) -> None:
        self._kit = kit
        self._flow = flow
        self.routes = (
            Route(BASE, {"GET": self.list}, "api", {"GET": operations.LIST}),
            Route(
                f"{BASE}/totp", {"POST": self.begin_totp}, "api", {"POST": operations.BEGIN_TOTP}
            ),
            Route(
                f"{BASE}/totp/confirm",
                {"POST": self.confirm_totp},
                "api",
                {"POST": operations.CONFIRM_TOTP},
            ),
            Route(
                f"{BASE}/recovery-codes",
                {"POST": self.make_recovery_codes},
                "api",
                {"POST": operations.MAKE_CODES},
            ),
            Route(
                _TRUSTED,
                {"GET": self.list_browsers, "POST": self.trust, "DELETE": self.distrust_all},
                "api",
                {
                    "GET": operations.LIST_BROWSERS,
                    "POST": operations.TRUST,
                    "DELETE": operations.DISTRUST_ALL,
                },
            ),
            Route(
                f"{_TRUSTED}/{{id}}",
                {"DELETE": self.distrust},
                "api",
                {"DELETE": operations.DISTRUST},
            ),
            Route(
                f"{BASE}/{{id}}",
                {"PATCH": self.rename, "DELETE": self.remove},
                "api",
                {"PATCH": operations.RENAME_ONE, "DELETE": operations.REMOVE},
            ),
            Route(
                "/api/v1/users/{id}/factors",
                {"GET": self.list_of_user, "DELETE": self.reset},
                "api",
                {"GET": operations.LIST_OF_USER, "DELETE": operations.RESET_USER},
            ),
        )

    # --- one's own -----------------------------------------------------------------------------

    async def list(self, request: Request) -> Response:
        """List the person's factors."""
        account = await self._kit.accounts.require(request)
        return await self._list(account.user.id)

    async def begin_totp(self, request: Request) -> Response:
        """Return what sets up an authenticator app."""
        account = await self._flow.own.require(request)
        holder = held_by_session(account.session)
        enrollment = await self._flow.totp.begin(account.user.id, account.user.email, holder)
        return json_response(enrollment.to_json())

    async def confirm_totp(self, request: Request) -> Response:
        """Keep an authenticator app, and renew the session by its code."""
        account = await self._flow.own.require(request)
        values = CONFIRM.read_json(await read_json(request))
        caller = holder_of(self._kit, request, account)
        factor, done = await self._flow.confirm_totp(
            account,
            values.text("enrollment_id"),
            values.text("code"),
            caller,
            name=values.get("name") or "",
        )
        return respond_with_factor(self._kit, caller, factor, done)

    async def make_recovery_codes(self, request: Request) -> Response:
        """Make recovery codes."""
        account = await self._flow.own.require(request)
        codes = await self._flow.recovery_codes.make(
            account.user.id, caller=self._kit.callers.browser(request)
        )
        return json_response({"recovery_codes": codes})

    async def rename(self, request: Request) -> Response:
        """Give one another name."""
        account = await self._kit.accounts.require(request)
        values = RENAME.read_json(await read_json(request))
        id, user_id = request.path_params["id"], account.user.id
        caller = self._kit.callers.browser(request)
        await self._flow.own.rename(user_id, id, values.text("name"), caller=caller)
        state = await self._flow.own.state(user_id)
        factor = next((one for one in state.factors if one.id == id), None)
        if factor is None:
            raise NotFound
        return json_response(public_factor(factor))

    async def remove(self, request: Request) -> Response:
        """Remove one."""
        account = await self._flow.own.require(request)
        await self._flow.own.remove(
            account.user.id,
            request.path_params["id"],
            session=account.session,
            caller=self._kit.callers.browser(request),
        )
        return _no_content()

    # --- trusted browsers ----------------------------------------------------------------------

    async def list_browsers(self, request: Request) -> Response:
        """List the trusted browsers."""
        account = await self._kit.accounts.require(request)
        ids = self._kit.callers.browser(request).trusted
        browsers = await self._flow.browsers.list(account.user.id)
        found = [public_browser(one, is_current=one.id in ids) for one in browsers]
        return json_response({"trusted_browsers": found})

    async def trust(self, request: Request) -> Response:
        """Trust the browser that asks."""
        account = await self._kit.accounts.require(request)
        if account.signed.startswith(TOKEN_PREFIX):
            raise Unauthenticated(Text("Only a browser can be trusted."))
        if await self._flow.browsers.days_of_session(account.session) == 0:
            problem = Text("No browser is trusted here.")
            raise InvalidArgument.of("trusted_browsers", problem, "off")
        # Read before the session is looked at again: whatever ends its proof raises it.
        generation = await self._flow.browsers.generation(account.user.id)
        account = await self._kit.accounts.require(
            request, fresh_within=FRESH_WITHIN, strength="second_factor"
        )
        caller = self._kit.callers.browser(request)
        cookie = await self._flow.browsers.trust(account.session, caller, generation=generation)
        if cookie is None:
            raise RequestExpired
        return with_cookies(_no_content(), [cookie])

    async def distrust(self, request: Request) -> Response:
        """Trust one no more."""
        account = await self._kit.accounts.require(request)
        id = unb64(request.path_params["id"])
        if not id:
            raise NotFound
        caller = self._kit.callers.browser(request)
        await self._flow.browsers.distrust(account.user.id, id, caller=caller)
        return _no_content()

    async def distrust_all(self, request: Request) -> Response:
        """Trust none any more."""
        account = await self._kit.accounts.require(request)
        caller = self._kit.callers.browser(request)
        await self._flow.browsers.distrust_all(account.user.id, caller=caller)
        return _no_content()

    # --- for servers ---------------------------------------------------------------------------

    async def list_of_user(self, request: Request) -> Response:
        """List a user's factors."""
        await self._kit.callers.server(request, scope="users:read")
        return await self._list(await find_user_id(self._kit, request))

    async def _list(self, user_id: str) -> Response:
        state = await self._flow.own.state(user_id)
        return json_response(public_state(state, await self._flow.resets.find_open(user_id)))

    async def reset(self, request: Request) -> Response:
        """Remove all of a user's factors, now or after the time to object."""
        caller = await self._kit.callers.server(request, scope="users")
        user_id = await find_user_id(self._kit, request)
        return json_response(public_reset(await self._flow.resets.reset(user_id, by=caller.name)))


def _no_content() -> Response:
    return Response(status_code=204, headers=EVERYWHERE)

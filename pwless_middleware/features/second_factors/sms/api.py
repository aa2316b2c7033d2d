"""The JSON interface by which a person adds a phone number: `factors/sms`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from pwless_middleware.errors import (
    ForbiddenOrigin,
    InvalidArgument,
    InvalidCode,
    LoginDenied,
    LoginElsewhere,
    RateLimited,
    RequestExpired,
    StepRequired,
    StepUpRequired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.features.second_factors.api.added_factor import (
    holder_of,
    respond_with_factor,
)
from pwless_middleware.features.second_factors.api.factor_fields import ADDED, CONFIRM
from pwless_middleware.features.second_factors.flow import held_by_session
from pwless_middleware.features.second_factors.sms.feature import SMSCodes
from pwless_middleware.features.second_factors.sms.fields import PHONE
from pwless_middleware.web.kit import Kit
from pwless_middleware.web.requests.bodies import read_json
from pwless_middleware.web.requests.fields import Field, Fields
from pwless_middleware.web.responses.responses import json_response
from pwless_middleware.web.responses.session_json import time_field
from pwless_middleware.web.routing.operations import (
    ORIGIN,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)
from pwless_middleware.web.routing.routes import Route

if TYPE_CHECKING:
    from pwless_middleware.features.second_factors.flow import SecondFactorFlow

PATH: Final = "/api/v1/factors/sms"
_FRESH: Final = "Needs a fresh proof by a second factor."
_OWN: Final = (Unauthenticated, ForbiddenOrigin)

_ENROLLMENT: Final = Fields(
    {
        "enrollment_id": Field(
            about="Goes back with the code.", example="dGhpcyBpcyBvbmx5IGFuIA", required=True
        ),
        "phone": Field(
            about="The number as it was understood.", example="+49 1512 3456789", required=True
        ),
        "expires_at": time_field("Until when it can be confirmed"),
        "resend_after": Field(
            kind="integer",
            about="Seconds until another text message can be asked for, by the same call.",
            example=60,
            required=True,
            least=0,
        ),
        "is_delayed": Field(
            kind="boolean",
            about="Whether text messages have not been going out lately.",
            example=False,
            required=True,
        ),
    }
)
_COUNTRIES: Final = Fields(
    {
        "countries": Field(
            kind="objects",
            about="To whose numbers text messages go, in the order of the language.",
            required=True,
            fields=Fields(
                {
                    "code": Field(about="ISO 3166-1.", example="DE", required=True),
                    "name": Field(
                        about="In the language of the request.", example="Germany", required=True
                    ),
                    "calling_code": Field(about="Its digits.", example="49", required=True),
                }
            ),
        )
    }
)

_BEGIN: Final = Operation(
    id="addPhone",
    summary="Begin to add a phone number",
    about=(
        "A code goes there by text message, and the number counts once it has come back. For who "
        "has an authenticator app or a passkey; a number alone is too weak. Asked again with the "
        f"same number, the same code is sent; another number voids the first. {_FRESH}"
    ),
    security=((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN)),
    body=PHONE,
    answers={200: _ENROLLMENT},
    errors=(*_OWN, InvalidArgument, StepUpRequired, RateLimited, TooManyAttempts),
    next={"confirmPhone": ("enrollment_id", "$response.body#/enrollment_id")},
)
_CONFIRM: Final = Operation(
    id="confirmPhone",
    summary="Keep a phone number whose code has come back",
    about=f"The session is renewed by the code. The person is told by email. {_FRESH}",
    security=((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN)),
    body=CONFIRM,
    answers={201: ADDED},
    sets_cookie=True,
    errors=(
        *_OWN,
        StepUpRequired,
        InvalidCode,
        LoginDenied,
        LoginElsewhere,
        StepRequired,
        RequestExpired,
        TooManyAttempts,
    ),
)
_LIST: Final = Operation(
    id="listPhoneCountries",
    summary="The countries whose phone numbers can be added",
    security=((SESSION_TOKEN,), (SESSION_COOKIE,)),
    answers={200: _COUNTRIES},
    errors=(Unauthenticated,),
)


class SMSApi:
    """Answer the resource.

    Args:
        kit: everything below.
        flow: adds what is confirmed.
        sms: sends the codes.
    """

    def __init__(self, kit: Kit, flow: SecondFactorFlow, sms: SMSCodes) -> None:
        self._kit = kit
        self._flow = flow
        self._sms = sms
        self.routes = (
            Route(
                PATH,
                {"GET": self.list_countries, "POST": self.begin},
                "api",
                {"GET": _LIST, "POST": _BEGIN},
            ),
            Route(f"{PATH}/confirm", {"POST": self.confirm}, "api", {"POST": _CONFIRM}),
        )

    async def list_countries(self, request: Request) -> Response:
        """List the countries to choose from."""
        await self._kit.accounts.require(request)
        found = [
            {"code": one.code, "name": one.name, "calling_code": one.calling_code}
            for one in self._sms.countries
        ]
        return json_response({"countries": found})

    async def begin(self, request: Request) -> Response:
        """Send a code to a new number."""
        account = await self._flow.own.require(request)
        values = PHONE.read_json(await read_json(request))
        enrollment = await self._sms.enrollments.begin(
            account.user.id,
            held_by_session(account.session),
            values.text("phone"),
            holder_of(self._kit, request, account),
            country=values.get("country") or "",
        )
        return json_response(enrollment.to_json())

    async def confirm(self, request: Request) -> Response:
        """Keep a number, and renew the session by its code."""
        account = await self._flow.own.require(request)
        values = CONFIRM.read_json(await read_json(request))
        caller = holder_of(self._kit, request, account)
        factor, done = await self._flow.confirm_sms(
            account,
            values.text("enrollment_id"),
            values.text("code"),
            caller,
            name=values.get("name") or "",
        )
        return respond_with_factor(self._kit, caller, factor, done)

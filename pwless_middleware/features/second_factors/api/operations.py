"""What the OpenAPI document says of the resource `factors`."""

from __future__ import annotations

from typing import Final

from pwless_middleware.errors import (
    ForbiddenOrigin,
    InvalidArgument,
    InvalidCode,
    LoginDenied,
    LoginElsewhere,
    NotFound,
    PersonNotFound,
    RateLimited,
    RequestExpired,
    StepRequired,
    StepUpRequired,
    TooManyAttempts,
    Unauthenticated,
)
from pwless_middleware.features.second_factors.api.factor_fields import (
    ADDED,
    CONFIRM,
    ENROLLMENT,
    FACTOR,
    FACTORS,
    RECOVERY_CODES,
    RENAME,
    RESET,
    TRUSTED_BROWSERS,
)
from pwless_middleware.web.routing.operations import (
    API_KEY,
    ORIGIN,
    SESSION_COOKIE,
    SESSION_TOKEN,
    Operation,
)

_READS: Final = ((SESSION_TOKEN,), (SESSION_COOKIE,))
_WRITES: Final = ((SESSION_TOKEN,), (SESSION_COOKIE, ORIGIN))
_BROWSER: Final = ((SESSION_COOKIE, ORIGIN),)
_SERVER: Final = ((API_KEY,),)
_FRESH: Final = "Needs a fresh proof, by a second factor for who has one."
_ID: Final = {"id": "The id of a factor."}
_BROWSER_ID: Final = {"id": "The id of a trusted browser."}
_WHO: Final = {"id": "The user's id."}
_OWN: Final = (Unauthenticated, ForbiddenOrigin)
_CONFIRM_ERRORS: Final = (
    *_OWN,
    StepUpRequired,
    InvalidCode,
    LoginDenied,
    LoginElsewhere,
    StepRequired,
    RequestExpired,
    TooManyAttempts,
    RateLimited,
)

LIST: Final = Operation(
    id="listFactors",
    summary="A person’s own second factors",
    about="Passkeys count as such too, and are a resource of their own.",
    security=_READS,
    answers={200: FACTORS},
    errors=(Unauthenticated,),
    next={
        "renameFactor": ("id", "$response.body#/factors/0/id"),
        "removeFactor": ("id", "$response.body#/factors/0/id"),
    },
)
BEGIN_TOTP: Final = Operation(
    id="addTotp",
    summary="Begin to add an authenticator app",
    about=(
        f"What is told sets the app up, and counts once a code of it has come back. {_FRESH} "
        "The body may be empty. One that was begun before is void."
    ),
    security=_WRITES,
    body=None,
    answers={200: ENROLLMENT},
    errors=(*_OWN, InvalidArgument, StepUpRequired),
    next={"confirmTotp": ("enrollment_id", "$response.body#/enrollment_id")},
)
CONFIRM_TOTP: Final = Operation(
    id="confirmTotp",
    summary="Keep an authenticator app that shows the right code",
    about=f"The session is renewed by the code. The person is told by email. {_FRESH}",
    security=_WRITES,
    body=CONFIRM,
    answers={201: ADDED},
    sets_cookie=True,
    errors=_CONFIRM_ERRORS,
)
MAKE_CODES: Final = Operation(
    id="makeRecoveryCodes",
    summary="Make ten recovery codes",
    about=(
        "They are told this once; older ones are void. For who has a second factor. The person is "
        f"told by email. {_FRESH}"
    ),
    security=_WRITES,
    answers={200: RECOVERY_CODES},
    errors=(*_OWN, InvalidArgument, LoginDenied, StepUpRequired, RateLimited),
)
RENAME_ONE: Final = Operation(
    id="renameFactor",
    summary="Give a second factor another name",
    parameters=_ID,
    security=_WRITES,
    body=RENAME,
    answers={200: FACTOR},
    errors=(*_OWN, NotFound),
)
REMOVE: Final = Operation(
    id="removeFactor",
    summary="Remove a second factor",
    about=(
        "The person is told by email; what it has proven counts no more, and no browser is trusted "
        f"any more. The last one stays where one is required. {_FRESH}"
    ),
    parameters=_ID,
    security=_WRITES,
    answers={204: None},
    errors=(*_OWN, InvalidArgument, StepUpRequired, NotFound, RateLimited),
)
LIST_BROWSERS: Final = Operation(
    id="listTrustedBrowsers",
    summary="The browsers in which a person is not asked for a second factor",
    security=_READS,
    answers={200: TRUSTED_BROWSERS},
    errors=(Unauthenticated,),
    next={"distrustBrowser": ("id", "$response.body#/trusted_browsers/0/id")},
)
TRUST: Final = Operation(
    id="trustBrowser",
    summary="Ask for no second factor in this browser for some days",
    about="Needs a fresh proof by a second factor, and a deployment that has such days.",
    security=_BROWSER,
    answers={204: None},
    sets_cookie=True,
    errors=(*_OWN, InvalidArgument, StepUpRequired, RequestExpired),
)
DISTRUST: Final = Operation(
    id="distrustBrowser",
    summary="Ask for a second factor in a browser again",
    parameters=_BROWSER_ID,
    security=_WRITES,
    answers={204: None},
    errors=(*_OWN, NotFound),
)
DISTRUST_ALL: Final = Operation(
    id="distrustBrowsers",
    summary="Ask for a second factor in all browsers again",
    security=_WRITES,
    answers={204: None},
    errors=_OWN,
)

LIST_OF_USER: Final = Operation(
    id="listUserFactors",
    summary="A user's second factors",
    about="No secret is told, and of a phone number the last digits.",
    parameters=_WHO,
    security=_SERVER,
    answers={200: FACTORS},
    errors=(*_OWN, PersonNotFound),
)
RESET_USER: Final = Operation(
    id="resetUserFactors",
    summary="Remove all second factors of a user who has lost them",
    about=(
        "Authenticator apps, phone numbers, recovery codes, trusted browsers and passkeys; the "
        "user is signed out everywhere, and told by email. Where the deployment has a waiting time "
        "(`reset_wait`) it is done after that, unless the user objects."
    ),
    parameters=_WHO,
    security=_SERVER,
    answers={200: RESET},
    errors=(*_OWN, PersonNotFound),
)

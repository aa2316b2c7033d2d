"""The public names for who writes a feature: a login method, a second factor, a rule, a page.

A feature is any object with `mount(kit) -> Mounted`; it says what it adds, and changes nothing.
This one asks everybody to accept the terms before there is a session:

    class Terms:
        def mount(self, kit: Kit) -> Mounted:
            self.kit = kit
            page = Route("/step/terms", {"GET": self.show, "POST": self.accept})
            return Mounted(routes=(page,), before_session=(self.rule,), proves=("terms",))

        async def rule(self, login: Login) -> Step:
            return Step(("terms",), "/step/terms")

        async def show(self, request: Request) -> Response:
            form = '<form method="post"><button>I accept the terms</button></form>'
            return Response(form, media_type="text/html")

        async def accept(self, request: Request) -> Response:
            await read_form(request)
            caller = self.kit.callers.browser(request)
            attempt = self.kit.logins.do_step(caller.pending or "", "terms", caller, self.check)
            return await respond_with_page(self.kit, request, caller, attempt)

        async def check(self, login: Login) -> StepProof:
            return StepProof(Authentication("terms", self.kit.clock()))

    Passwordless(..., features=[EmailLogin(), Terms()])

Nothing that a feature is given can make a session: that is for the door alone, which asks every
rule first. Names that are not here are not promised. Each is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pwless_middleware.core.address import Address, parse_address
    from pwless_middleware.core.authentication import Authentication, Strength
    from pwless_middleware.core.caller import Caller
    from pwless_middleware.core.challenge_context import ChallengeContext, Redirect, open_hint
    from pwless_middleware.core.event import Event, EventKind
    from pwless_middleware.core.finding import Finding
    from pwless_middleware.core.login import EnrolledUser, Login, PendingLogin, Step
    from pwless_middleware.core.policy import Policy
    from pwless_middleware.core.session import Session, SessionPolicy
    from pwless_middleware.core.setting import Setting
    from pwless_middleware.core.stored_secret import Decrypted
    from pwless_middleware.core.user import User, UserId
    from pwless_middleware.core.verdict import Verdict
    from pwless_middleware.delivery.base import Message
    from pwless_middleware.delivery.outcomes import Delivery, Outcome
    from pwless_middleware.delivery.texts.base import TextMessage, TextSender
    from pwless_middleware.errors import (
        ApiError,
        ConfigError,
        DeliveryError,
        InvalidArgument,
        InvalidCode,
        LoginDenied,
        NotFound,
        RequestExpired,
        StepUpRequired,
        TooManyAttempts,
        Unauthenticated,
        Unavailable,
    )
    from pwless_middleware.flows.door import LoginResult
    from pwless_middleware.flows.feature_secrets import FeatureSecrets
    from pwless_middleware.flows.health_checks import HealthCheck
    from pwless_middleware.flows.lifespans import Lifespan
    from pwless_middleware.flows.live_settings import LiveSettings
    from pwless_middleware.flows.login_rules import (
        BeforeChallenge,
        BeforeSession,
        OnSession,
        WithSession,
    )
    from pwless_middleware.flows.periodic import Periodic
    from pwless_middleware.flows.proofs import Proof, StepCheck, StepProof
    from pwless_middleware.flows.records import Record, Records
    from pwless_middleware.flows.topics import QueuedJob, ReadJob
    from pwless_middleware.languages.current import translate
    from pwless_middleware.stores.base import Writes
    from pwless_middleware.text import Text
    from pwless_middleware.web.accounts import Account
    from pwless_middleware.web.bodies import read_form, read_json
    from pwless_middleware.web.fields import Field, Fields, Values
    from pwless_middleware.web.kit import Feature, Kit, Mounted
    from pwless_middleware.web.login_responses import respond_with_json, respond_with_page
    from pwless_middleware.web.offers import (
        AccountPage,
        AfterLogin,
        Alternative,
        DashboardPage,
        LoginMethod,
        StepUpMethod,
    )
    from pwless_middleware.web.operations import Operation
    from pwless_middleware.web.operators import Operator
    from pwless_middleware.web.parts import Part
    from pwless_middleware.web.person_gate import find_person, require_person
    from pwless_middleware.web.person_parts import PersonPart, ShownPerson
    from pwless_middleware.web.responses import json_response, with_cookies
    from pwless_middleware.web.routes import Handler, Route
    from pwless_middleware.web.steps import StepAction, StepMethod, StepPart, StepSubject
else:  # so that a type checker knows the names and no others

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for, and keep it (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(import_module(_HOMES[name]), name)
        globals()[name] = found
        return found


__all__ = [
    "Account",
    "AccountPage",
    "Address",
    "AfterLogin",
    "Alternative",
    "ApiError",
    "Authentication",
    "BeforeChallenge",
    "BeforeSession",
    "Caller",
    "ChallengeContext",
    "ConfigError",
    "DashboardPage",
    "Decrypted",
    "Delivery",
    "DeliveryError",
    "EnrolledUser",
    "Event",
    "EventKind",
    "Feature",
    "FeatureSecrets",
    "Field",
    "Fields",
    "Finding",
    "Handler",
    "HealthCheck",
    "InvalidArgument",
    "InvalidCode",
    "Kit",
    "Lifespan",
    "LiveSettings",
    "Login",
    "LoginDenied",
    "LoginMethod",
    "LoginResult",
    "Message",
    "Mounted",
    "NotFound",
    "OnSession",
    "Operation",
    "Operator",
    "Outcome",
    "Part",
    "PendingLogin",
    "Periodic",
    "PersonPart",
    "Policy",
    "Proof",
    "QueuedJob",
    "ReadJob",
    "Record",
    "Records",
    "Redirect",
    "Request",
    "RequestExpired",
    "Response",
    "Route",
    "Session",
    "SessionPolicy",
    "Setting",
    "ShownPerson",
    "Step",
    "StepAction",
    "StepCheck",
    "StepMethod",
    "StepPart",
    "StepProof",
    "StepSubject",
    "StepUpMethod",
    "StepUpRequired",
    "Strength",
    "Text",
    "TextMessage",
    "TextSender",
    "TooManyAttempts",
    "Unauthenticated",
    "Unavailable",
    "User",
    "UserId",
    "Values",
    "Verdict",
    "WithSession",
    "Writes",
    "find_person",
    "json_response",
    "open_hint",
    "parse_address",
    "read_form",
    "read_json",
    "require_person",
    "respond_with_json",
    "respond_with_page",
    "translate",
    "with_cookies",
]

_HOMES = {  # where each name lives
    "Account": "pwless_middleware.web.accounts",
    "AccountPage": "pwless_middleware.web.offers",
    "Address": "pwless_middleware.core.address",
    "AfterLogin": "pwless_middleware.web.offers",
    "Alternative": "pwless_middleware.web.offers",
    "ApiError": "pwless_middleware.errors",
    "Authentication": "pwless_middleware.core.authentication",
    "BeforeChallenge": "pwless_middleware.flows.login_rules",
    "BeforeSession": "pwless_middleware.flows.login_rules",
    "Caller": "pwless_middleware.core.caller",
    "ChallengeContext": "pwless_middleware.core.challenge_context",
    "ConfigError": "pwless_middleware.errors",
    "DashboardPage": "pwless_middleware.web.offers",
    "Decrypted": "pwless_middleware.core.stored_secret",
    "Delivery": "pwless_middleware.delivery.outcomes",
    "DeliveryError": "pwless_middleware.errors",
    "EnrolledUser": "pwless_middleware.core.login",
    "Event": "pwless_middleware.core.event",
    "EventKind": "pwless_middleware.core.event",
    "Feature": "pwless_middleware.web.kit",
    "FeatureSecrets": "pwless_middleware.flows.feature_secrets",
    "Field": "pwless_middleware.web.fields",
    "Fields": "pwless_middleware.web.fields",
    "Finding": "pwless_middleware.core.finding",
    "Handler": "pwless_middleware.web.routes",
    "HealthCheck": "pwless_middleware.flows.health_checks",
    "InvalidArgument": "pwless_middleware.errors",
    "InvalidCode": "pwless_middleware.errors",
    "Kit": "pwless_middleware.web.kit",
    "Lifespan": "pwless_middleware.flows.lifespans",
    "LiveSettings": "pwless_middleware.flows.live_settings",
    "Login": "pwless_middleware.core.login",
    "LoginDenied": "pwless_middleware.errors",
    "LoginMethod": "pwless_middleware.web.offers",
    "LoginResult": "pwless_middleware.flows.door",
    "Message": "pwless_middleware.delivery.base",
    "Mounted": "pwless_middleware.web.kit",
    "NotFound": "pwless_middleware.errors",
    "OnSession": "pwless_middleware.flows.login_rules",
    "Operation": "pwless_middleware.web.operations",
    "Operator": "pwless_middleware.web.operators",
    "Outcome": "pwless_middleware.delivery.outcomes",
    "Part": "pwless_middleware.web.parts",
    "PendingLogin": "pwless_middleware.core.login",
    "Periodic": "pwless_middleware.flows.periodic",
    "PersonPart": "pwless_middleware.web.person_parts",
    "Policy": "pwless_middleware.core.policy",
    "Proof": "pwless_middleware.flows.proofs",
    "QueuedJob": "pwless_middleware.flows.topics",
    "ReadJob": "pwless_middleware.flows.topics",
    "Record": "pwless_middleware.flows.records",
    "Records": "pwless_middleware.flows.records",
    "Redirect": "pwless_middleware.core.challenge_context",
    "Request": "starlette.requests",
    "RequestExpired": "pwless_middleware.errors",
    "Response": "starlette.responses",
    "Route": "pwless_middleware.web.routes",
    "Session": "pwless_middleware.core.session",
    "SessionPolicy": "pwless_middleware.core.session",
    "Setting": "pwless_middleware.core.setting",
    "ShownPerson": "pwless_middleware.web.person_parts",
    "Step": "pwless_middleware.core.login",
    "StepAction": "pwless_middleware.web.steps",
    "StepCheck": "pwless_middleware.flows.proofs",
    "StepMethod": "pwless_middleware.web.steps",
    "StepPart": "pwless_middleware.web.steps",
    "StepProof": "pwless_middleware.flows.proofs",
    "StepSubject": "pwless_middleware.web.steps",
    "StepUpMethod": "pwless_middleware.web.offers",
    "StepUpRequired": "pwless_middleware.errors",
    "Strength": "pwless_middleware.core.authentication",
    "Text": "pwless_middleware.text",
    "TextMessage": "pwless_middleware.delivery.texts.base",
    "TextSender": "pwless_middleware.delivery.texts.base",
    "TooManyAttempts": "pwless_middleware.errors",
    "Unauthenticated": "pwless_middleware.errors",
    "Unavailable": "pwless_middleware.errors",
    "User": "pwless_middleware.core.user",
    "UserId": "pwless_middleware.core.user",
    "Values": "pwless_middleware.web.fields",
    "Verdict": "pwless_middleware.core.verdict",
    "WithSession": "pwless_middleware.flows.login_rules",
    "Writes": "pwless_middleware.stores.base",
    "find_person": "pwless_middleware.web.person_gate",
    "json_response": "pwless_middleware.web.responses",
    "open_hint": "pwless_middleware.core.challenge_context",
    "parse_address": "pwless_middleware.core.address",
    "read_form": "pwless_middleware.web.bodies",
    "read_json": "pwless_middleware.web.bodies",
    "require_person": "pwless_middleware.web.person_gate",
    "respond_with_json": "pwless_middleware.web.login_responses",
    "respond_with_page": "pwless_middleware.web.login_responses",
    "translate": "pwless_middleware.languages.current",
    "with_cookies": "pwless_middleware.web.responses",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

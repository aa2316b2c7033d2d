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

    from pwless_middleware.core.addresses.address import Address, parse_address
    from pwless_middleware.core.challenges.challenge_context import (
        ChallengeContext,
        Redirect,
        open_hint,
    )
    from pwless_middleware.core.events.event import Event, EventKind
    from pwless_middleware.core.keys.stored_secret import Decrypted
    from pwless_middleware.core.logins.authentication import Authentication, Strength
    from pwless_middleware.core.logins.caller import Caller
    from pwless_middleware.core.logins.login import EnrolledUser, Login, PendingLogin, Step
    from pwless_middleware.core.logins.session import Session, SessionPolicy
    from pwless_middleware.core.logins.verdict import Verdict
    from pwless_middleware.core.operators.finding import Finding
    from pwless_middleware.core.operators.setting import Setting
    from pwless_middleware.core.organizations.policy import Policy
    from pwless_middleware.core.people.user import User, UserId
    from pwless_middleware.delivery.base import Message
    from pwless_middleware.delivery.queue.outcomes import Delivery, Outcome
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
    from pwless_middleware.flows.capabilities.feature_secrets import FeatureSecrets
    from pwless_middleware.flows.capabilities.health_checks import HealthCheck
    from pwless_middleware.flows.capabilities.lifespans import Lifespan
    from pwless_middleware.flows.capabilities.periodic import Periodic
    from pwless_middleware.flows.capabilities.records import Record, Records
    from pwless_middleware.flows.capabilities.topics import QueuedJob, ReadJob
    from pwless_middleware.flows.logins.door import LoginResult
    from pwless_middleware.flows.logins.login_rules import (
        BeforeChallenge,
        BeforeSession,
        OnSession,
        WithSession,
    )
    from pwless_middleware.flows.logins.proofs import Proof, StepCheck, StepProof
    from pwless_middleware.flows.settings.live_settings import LiveSettings
    from pwless_middleware.languages.current import translate
    from pwless_middleware.stores.base import Writes
    from pwless_middleware.text import Text
    from pwless_middleware.web.gates.operators import Operator
    from pwless_middleware.web.gates.person_gate import find_person, require_person
    from pwless_middleware.web.identity.accounts import Account
    from pwless_middleware.web.kit import Feature, Kit, Mounted
    from pwless_middleware.web.parts.offers import (
        AccountPage,
        AfterLogin,
        Alternative,
        DashboardPage,
        LoginMethod,
        StepUpMethod,
    )
    from pwless_middleware.web.parts.parts import Part
    from pwless_middleware.web.parts.person_parts import PersonPart, ShownPerson
    from pwless_middleware.web.parts.steps import StepAction, StepMethod, StepPart, StepSubject
    from pwless_middleware.web.requests.bodies import read_form, read_json
    from pwless_middleware.web.requests.fields import Field, Fields, Values
    from pwless_middleware.web.responses.login_responses import respond_with_json, respond_with_page
    from pwless_middleware.web.responses.responses import json_response, with_cookies
    from pwless_middleware.web.routing.operations import Operation
    from pwless_middleware.web.routing.routes import Handler, Route
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
    "Account": "pwless_middleware.web.identity.accounts",
    "AccountPage": "pwless_middleware.web.parts.offers",
    "Address": "pwless_middleware.core.addresses.address",
    "AfterLogin": "pwless_middleware.web.parts.offers",
    "Alternative": "pwless_middleware.web.parts.offers",
    "ApiError": "pwless_middleware.errors",
    "Authentication": "pwless_middleware.core.logins.authentication",
    "BeforeChallenge": "pwless_middleware.flows.logins.login_rules",
    "BeforeSession": "pwless_middleware.flows.logins.login_rules",
    "Caller": "pwless_middleware.core.logins.caller",
    "ChallengeContext": "pwless_middleware.core.challenges.challenge_context",
    "ConfigError": "pwless_middleware.errors",
    "DashboardPage": "pwless_middleware.web.parts.offers",
    "Decrypted": "pwless_middleware.core.keys.stored_secret",
    "Delivery": "pwless_middleware.delivery.queue.outcomes",
    "DeliveryError": "pwless_middleware.errors",
    "EnrolledUser": "pwless_middleware.core.logins.login",
    "Event": "pwless_middleware.core.events.event",
    "EventKind": "pwless_middleware.core.events.event",
    "Feature": "pwless_middleware.web.kit",
    "FeatureSecrets": "pwless_middleware.flows.capabilities.feature_secrets",
    "Field": "pwless_middleware.web.requests.fields",
    "Fields": "pwless_middleware.web.requests.fields",
    "Finding": "pwless_middleware.core.operators.finding",
    "Handler": "pwless_middleware.web.routing.routes",
    "HealthCheck": "pwless_middleware.flows.capabilities.health_checks",
    "InvalidArgument": "pwless_middleware.errors",
    "InvalidCode": "pwless_middleware.errors",
    "Kit": "pwless_middleware.web.kit",
    "Lifespan": "pwless_middleware.flows.capabilities.lifespans",
    "LiveSettings": "pwless_middleware.flows.settings.live_settings",
    "Login": "pwless_middleware.core.logins.login",
    "LoginDenied": "pwless_middleware.errors",
    "LoginMethod": "pwless_middleware.web.parts.offers",
    "LoginResult": "pwless_middleware.flows.logins.door",
    "Message": "pwless_middleware.delivery.base",
    "Mounted": "pwless_middleware.web.kit",
    "NotFound": "pwless_middleware.errors",
    "OnSession": "pwless_middleware.flows.logins.login_rules",
    "Operation": "pwless_middleware.web.routing.operations",
    "Operator": "pwless_middleware.web.gates.operators",
    "Outcome": "pwless_middleware.delivery.queue.outcomes",
    "Part": "pwless_middleware.web.parts.parts",
    "PendingLogin": "pwless_middleware.core.logins.login",
    "Periodic": "pwless_middleware.flows.capabilities.periodic",
    "PersonPart": "pwless_middleware.web.parts.person_parts",
    "Policy": "pwless_middleware.core.organizations.policy",
    "Proof": "pwless_middleware.flows.logins.proofs",
    "QueuedJob": "pwless_middleware.flows.capabilities.topics",
    "ReadJob": "pwless_middleware.flows.capabilities.topics",
    "Record": "pwless_middleware.flows.capabilities.records",
    "Records": "pwless_middleware.flows.capabilities.records",
    "Redirect": "pwless_middleware.core.challenges.challenge_context",
    "Request": "starlette.requests",
    "RequestExpired": "pwless_middleware.errors",
    "Response": "starlette.responses",
    "Route": "pwless_middleware.web.routing.routes",
    "Session": "pwless_middleware.core.logins.session",
    "SessionPolicy": "pwless_middleware.core.logins.session",
    "Setting": "pwless_middleware.core.operators.setting",
    "ShownPerson": "pwless_middleware.web.parts.person_parts",
    "Step": "pwless_middleware.core.logins.login",
    "StepAction": "pwless_middleware.web.parts.steps",
    "StepCheck": "pwless_middleware.flows.logins.proofs",
    "StepMethod": "pwless_middleware.web.parts.steps",
    "StepPart": "pwless_middleware.web.parts.steps",
    "StepProof": "pwless_middleware.flows.logins.proofs",
    "StepSubject": "pwless_middleware.web.parts.steps",
    "StepUpMethod": "pwless_middleware.web.parts.offers",
    "StepUpRequired": "pwless_middleware.errors",
    "Strength": "pwless_middleware.core.logins.authentication",
    "Text": "pwless_middleware.text",
    "TextMessage": "pwless_middleware.delivery.texts.base",
    "TextSender": "pwless_middleware.delivery.texts.base",
    "TooManyAttempts": "pwless_middleware.errors",
    "Unauthenticated": "pwless_middleware.errors",
    "Unavailable": "pwless_middleware.errors",
    "User": "pwless_middleware.core.people.user",
    "UserId": "pwless_middleware.core.people.user",
    "Values": "pwless_middleware.web.requests.fields",
    "Verdict": "pwless_middleware.core.logins.verdict",
    "WithSession": "pwless_middleware.flows.logins.login_rules",
    "Writes": "pwless_middleware.stores.base",
    "find_person": "pwless_middleware.web.gates.person_gate",
    "json_response": "pwless_middleware.web.responses.responses",
    "open_hint": "pwless_middleware.core.challenges.challenge_context",
    "parse_address": "pwless_middleware.core.addresses.address",
    "read_form": "pwless_middleware.web.requests.bodies",
    "read_json": "pwless_middleware.web.requests.bodies",
    "require_person": "pwless_middleware.web.gates.person_gate",
    "respond_with_json": "pwless_middleware.web.responses.login_responses",
    "respond_with_page": "pwless_middleware.web.responses.login_responses",
    "translate": "pwless_middleware.languages.current",
    "with_cookies": "pwless_middleware.web.responses.responses",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

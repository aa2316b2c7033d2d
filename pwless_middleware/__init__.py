"""Passwordless login for any ASGI app, in one line.

    app = PasswordlessMiddleware(app, secret_key=..., base_url=..., mailer=...)

The public names; nothing else in this package is promised. Each is imported when it is first asked
for: nothing is loaded that is not used, and neither the command line nor the pytest plugin, which
every test run of the host loads, waits for the web framework or redis-py (0.7 s).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pwless_middleware.core.brand import Brand
    from pwless_middleware.core.challenges.challenge_context import ChallengeContext, Redirect
    from pwless_middleware.core.events.event import Event
    from pwless_middleware.core.events.event_retention import EventRetention
    from pwless_middleware.core.logins.authentication import Authentication
    from pwless_middleware.core.logins.login import Login, Step
    from pwless_middleware.core.logins.session import Session, SessionPolicy
    from pwless_middleware.core.logins.verdict import Verdict
    from pwless_middleware.core.operators.settings import SettingsConflict
    from pwless_middleware.core.people.person import Person
    from pwless_middleware.core.people.user import AnonymousUser, User
    from pwless_middleware.database.database import Database
    from pwless_middleware.delivery.base import Mailer, Message
    from pwless_middleware.delivery.fallback import FallbackMailer
    from pwless_middleware.delivery.outbox import Outbox
    from pwless_middleware.delivery.smtp.mailer import SMTPMailer
    from pwless_middleware.delivery.texts.base import TextMessage, TextSender
    from pwless_middleware.delivery.texts.fallback import FallbackTexts
    from pwless_middleware.delivery.texts.messagebird import MessageBirdTexts
    from pwless_middleware.delivery.texts.outbox import TextOutbox
    from pwless_middleware.delivery.texts.sns import SNSTexts
    from pwless_middleware.delivery.texts.twilio import TwilioTexts
    from pwless_middleware.delivery.texts.vonage import VonageTexts
    from pwless_middleware.delivery.texts.webhook import WebhookTexts
    from pwless_middleware.errors import (
        ApiError,
        ConfigError,
        DeliveryError,
        LoginDenied,
        LoginElsewhere,
        PwlessError,
    )
    from pwless_middleware.features.dashboard import Dashboard
    from pwless_middleware.features.email_login import EmailLogin
    from pwless_middleware.features.metrics import Metrics
    from pwless_middleware.features.organizations import Organizations
    from pwless_middleware.features.passkeys import Passkeys
    from pwless_middleware.features.second_factors import SecondFactors
    from pwless_middleware.features.second_factors.sms.limits import SMSLimits
    from pwless_middleware.features.sso.options import SSO
    from pwless_middleware.features.sso.social import OIDC
    from pwless_middleware.features.tracing import Tracing
    from pwless_middleware.features.webhooks import Webhooks
    from pwless_middleware.flows.challenges.limits import SendLimits, TryLimits
    from pwless_middleware.flows.people.users import UserDirectory
    from pwless_middleware.middleware import PasswordlessMiddleware
    from pwless_middleware.passwordless import Passwordless
    from pwless_middleware.stores.base import Store
    from pwless_middleware.stores.memory import MemoryStore
    from pwless_middleware.stores.redis import RedisStore
    from pwless_middleware.stores.sql import SQLStore
    from pwless_middleware.web.gates.requires_fresh import requires_fresh
    from pwless_middleware.web.kit import Feature, Kit, Mounted
else:  # so that a type checker knows the names and no others

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for, and keep it (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = found
        return found


__version__ = "0.1.0"

__all__ = [
    "OIDC",
    "SSO",
    "AnonymousUser",
    "ApiError",
    "Authentication",
    "Brand",
    "ChallengeContext",
    "ConfigError",
    "Dashboard",
    "Database",
    "DeliveryError",
    "EmailLogin",
    "Event",
    "EventRetention",
    "FallbackMailer",
    "FallbackTexts",
    "Feature",
    "Kit",
    "Login",
    "LoginDenied",
    "LoginElsewhere",
    "Mailer",
    "MemoryStore",
    "Message",
    "MessageBirdTexts",
    "Metrics",
    "Mounted",
    "Organizations",
    "Outbox",
    "Passkeys",
    "Passwordless",
    "PasswordlessMiddleware",
    "Person",
    "PwlessError",
    "Redirect",
    "RedisStore",
    "SMSLimits",
    "SMTPMailer",
    "SNSTexts",
    "SQLStore",
    "SecondFactors",
    "SendLimits",
    "Session",
    "SessionPolicy",
    "SettingsConflict",
    "Step",
    "Store",
    "TextMessage",
    "TextOutbox",
    "TextSender",
    "Tracing",
    "TryLimits",
    "TwilioTexts",
    "User",
    "UserDirectory",
    "Verdict",
    "VonageTexts",
    "WebhookTexts",
    "Webhooks",
    "requires_fresh",
]

_HOMES = {  # where each name lives
    "OIDC": "features.sso.social",
    "SSO": "features.sso.options",
    "AnonymousUser": "core.people.user",
    "ApiError": "errors",
    "Authentication": "core.logins.authentication",
    "Brand": "core.brand",
    "ChallengeContext": "core.challenges.challenge_context",
    "ConfigError": "errors",
    "Dashboard": "features.dashboard",
    "Database": "database.database",
    "DeliveryError": "errors",
    "EmailLogin": "features.email_login",
    "Event": "core.events.event",
    "EventRetention": "core.events.event_retention",
    "FallbackMailer": "delivery.fallback",
    "FallbackTexts": "delivery.texts.fallback",
    "Feature": "web.kit",
    "Kit": "web.kit",
    "Login": "core.logins.login",
    "LoginDenied": "errors",
    "LoginElsewhere": "errors",
    "Mailer": "delivery.base",
    "MemoryStore": "stores.memory",
    "Message": "delivery.base",
    "MessageBirdTexts": "delivery.texts.messagebird",
    "Metrics": "features.metrics",
    "Mounted": "web.kit",
    "Organizations": "features.organizations",
    "Outbox": "delivery.outbox",
    "Passkeys": "features.passkeys",
    "Passwordless": "passwordless",
    "PasswordlessMiddleware": "middleware",
    "Person": "core.people.person",
    "PwlessError": "errors",
    "Redirect": "core.challenges.challenge_context",
    "RedisStore": "stores.redis",
    "SMSLimits": "features.second_factors.sms.limits",
    "SMTPMailer": "delivery.smtp.mailer",
    "SNSTexts": "delivery.texts.sns",
    "SQLStore": "stores.sql",
    "SecondFactors": "features.second_factors",
    "SendLimits": "flows.challenges.limits",
    "Session": "core.logins.session",
    "SessionPolicy": "core.logins.session",
    "SettingsConflict": "core.operators.settings",
    "Step": "core.logins.login",
    "Store": "stores.base",
    "TextMessage": "delivery.texts.base",
    "TextOutbox": "delivery.texts.outbox",
    "TextSender": "delivery.texts.base",
    "Tracing": "features.tracing",
    "TryLimits": "flows.challenges.limits",
    "TwilioTexts": "delivery.texts.twilio",
    "User": "core.people.user",
    "UserDirectory": "flows.people.users",
    "Verdict": "core.logins.verdict",
    "VonageTexts": "delivery.texts.vonage",
    "WebhookTexts": "delivery.texts.webhook",
    "Webhooks": "features.webhooks",
    "requires_fresh": "web.gates.requires_fresh",
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Passwordless login for any ASGI app, in one line.

    app = PasswordlessMiddleware(app, secret_key=..., base_url=..., mailer=...)

The public names; nothing else in this package is promised.
"""

from __future__ import annotations

from pwless_middleware.core.authentication import Authentication, Login, Step
from pwless_middleware.core.sessions import Session, SessionPolicy
from pwless_middleware.core.users import AnonymousUser, User
from pwless_middleware.delivery.base import Mailer, Message
from pwless_middleware.delivery.fallback import FallbackMailer
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.delivery.smtp import SMTPMailer
from pwless_middleware.errors import ApiError, ConfigError, DeliveryError, LoginDenied, PwlessError
from pwless_middleware.features.email_login import EmailLogin
from pwless_middleware.flows.limits import SendLimits, TryLimits
from pwless_middleware.flows.users import UserDirectory
from pwless_middleware.middleware import PasswordlessMiddleware
from pwless_middleware.passwordless import Passwordless
from pwless_middleware.rendering import Brand
from pwless_middleware.stores.base import Store
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.kit import Feature, Kit, Mounted

__version__ = "0.1.0"

__all__ = [
    "AnonymousUser",
    "ApiError",
    "Authentication",
    "Brand",
    "ConfigError",
    "DeliveryError",
    "EmailLogin",
    "FallbackMailer",
    "Feature",
    "Kit",
    "Login",
    "LoginDenied",
    "Mailer",
    "MemoryStore",
    "Message",
    "Mounted",
    "Outbox",
    "Passwordless",
    "PasswordlessMiddleware",
    "PwlessError",
    "SMTPMailer",
    "SendLimits",
    "Session",
    "SessionPolicy",
    "Step",
    "Store",
    "TryLimits",
    "User",
    "UserDirectory",
]

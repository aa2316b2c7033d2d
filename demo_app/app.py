"""The app itself, and the one line that wraps it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from demo_app import pages
from demo_app.guide_site.site import the_guide
from demo_app.organizations import make_organizations
from demo_app.settings import Settings
from demo_app.ways import in_python
from pwless_middleware import (
    SSO,
    Brand,
    Dashboard,
    EmailLogin,
    Mailer,
    Metrics,
    Organizations,
    Outbox,
    Passkeys,
    Passwordless,
    PasswordlessMiddleware,
    SecondFactors,
    SendLimits,
    SMTPMailer,
    Store,
    TextOutbox,
    Webhooks,
)
from pwless_middleware.kit import Feature

BRAND = Brand("Fernway", color="#1f7a5a")
OPERATOR = "ops@fernway.example"
"""Who sees the demo's dashboard: sign in with this address."""
TEXT_COUNTRIES = ("AT", "CH", "DE", "ES", "FR", "GB", "IT", "NL", "PL", "SE", "US")
"""Whose mobile numbers the demo takes."""
PUBLIC = ["/", "/spa", "/ways", "/own-form", "/magic", "/guide", "/guide/*", "/static/*"]


def create_app(
    *,
    secret_key: str | tuple[str, ...],
    base_url: str = "http://localhost:8000",
    mailer: Mailer | None = None,
    store: Store | None = None,
    database: str | None = None,
    api_keys: dict[str, str] | None = None,
    send_limits: SendLimits | None = None,
    clock: Callable[[], float] | None = None,
) -> PasswordlessMiddleware:
    """Make the demo, wrapped.

    Args:
        secret_key, base_url, store, database, api_keys, clock: as for `Passwordless`.
        mailer: as for `Passwordless`; `None` keeps mails in a mailbox page.
        send_limits: as for `EmailLogin`.
    """
    features: list[Feature] = [
        EmailLogin(
            send_limits=send_limits,
            link_uris=[f"{base_url}/magic"],
            test_users=database is not None,
        )
    ]
    if database is not None:
        # Text messages stay on this machine, beside the emails: a real app names its gateway here.
        texts = TextOutbox() if is_local(mailer) else None
        countries = TEXT_COUNTRIES if texts is not None else ()
        features += [
            Passkeys(),
            SecondFactors(sms=texts, sms_countries=countries, trusted_days=30),
            Organizations(),
            SSO(unsafe_loopback=base_url.startswith("http:")),
            Dashboard(operators=[OPERATOR]),
            Webhooks(),
            Metrics(),
        ]
    passwordless = Passwordless(
        secret_key=secret_key,
        base_url=base_url,
        mailer=mailer or Outbox(),
        store=store,
        database=database,
        features=features,
        public=PUBLIC,
        brand=BRAND,
        api_keys=api_keys,
        clock=clock,
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if database is not None:
            await make_organizations(passwordless)
        yield

    app = Starlette(
        lifespan=lifespan,
        routes=[
            Route("/", pages.home),
            Route("/dashboard", pages.dashboard),
            Route("/notes", pages.notes),
            Route("/echo", pages.echo),
            WebSocketRoute("/ws", pages.socket),
            Route("/spa", pages.spa),
            Route("/ways", pages.ways),
            Route("/magic", pages.magic),
            Route("/own-form", in_python.form, methods=["GET", "POST"]),
            *the_guide().routes,
            Mount("/static", StaticFiles(packages=[("demo_app", "static")])),
        ],
        exception_handlers={404: pages.not_found},
    )
    app.state.passwordless = passwordless
    return PasswordlessMiddleware(app, passwordless=passwordless)


def is_local(mailer: Mailer | None) -> bool:
    """Whether mails stay on this machine, and so may text messages."""
    return mailer is None or isinstance(mailer, Outbox)


def from_settings(settings: Settings) -> PasswordlessMiddleware:
    """Make the demo as the environment wants it."""
    mailer: Mailer = Outbox()
    if settings.smtp_url:
        mailer = SMTPMailer(settings.smtp_url, sender=settings.smtp_sender)
    store: Store | None = None
    if settings.redis_url:
        # Importing redis-py takes 0.7 s: only who uses it pays.
        from pwless_middleware.stores.redis import RedisStore

        store = RedisStore(settings.redis_url, prefix="pwless-demo")
    return create_app(
        secret_key=settings.secret_key,
        base_url=settings.base_url,
        mailer=mailer,
        store=store,
        database=settings.database_url or None,
        api_keys={"demo": settings.api_key} if settings.api_key else None,
    )


def from_environment() -> PasswordlessMiddleware:
    """Make the demo from `PWLESS_…` variables, in each worker (`uvicorn --factory`)."""
    return from_settings(Settings.read(os.environ))

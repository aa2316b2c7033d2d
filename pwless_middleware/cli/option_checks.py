"""The checks that need nothing but the options."""

from __future__ import annotations

from collections.abc import Iterator

from pwless_middleware.cli.findings import Finding
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.discovery import Found
from pwless_middleware.middleware import PasswordlessMiddleware
from pwless_middleware.passwordless import Passwordless
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.shadowed import find_shadowed

RELEASED = 1_767_225_600
"""2026-01-01: no clock that is right is before this."""


def check_clock(now: int) -> Finding:
    """Check the machine's clock; a wrong one lets sessions and mails live too long or too short.

    Args:
        now: unix seconds, as the machine has them.
    """
    if now < RELEASED:
        return Finding("fail", "clock", "this machine's clock is years behind: run an NTP client")
    return Finding("ok", "clock", "plausible")


def check_options(found: Found, *, workers: int) -> Iterator[Finding]:
    """Check the options of one login.

    Args:
        found: which, and where it is mounted.
        workers: how many processes will serve it.
    """
    passwordless = found.middleware.passwordless
    yield Finding("ok", "secret_key", "set, 32 bytes or more each")  # else it would not be here
    yield _base_url(passwordless, found.mount)
    yield _cookies(passwordless)
    yield _outbox(passwordless)
    yield _memory(passwordless, workers)
    yield _proxies(passwordless)
    yield _public(passwordless)
    yield _check_routes(found.middleware)
    yield _identity(passwordless)


def _base_url(passwordless: Passwordless, mount: str) -> Finding:
    origin = passwordless.origin
    if not origin.path.endswith(mount):
        return Finding(
            "fail",
            "base_url",
            f"the login is mounted below {mount}, which {origin.url} does not end in: the links in "
            f"its emails lead nowhere; set base_url to {origin.url}{mount}",
        )
    if not origin.is_secure and not origin.is_development:
        return Finding(
            "fail",
            "base_url",
            f"{origin.url} is served over http (unsafe_http): whoever shares the network can take "
            "over every session; set an https address",
        )
    if not origin.is_secure:
        return Finding(
            "warn", "base_url", f"{origin.url} is for development; set the https address"
        )
    if origin.path.removesuffix(mount):
        return Finding(
            "ok",
            "base_url",
            f"{origin.url}; its path must also be the server's root path (--root-path)",
        )
    return Finding("ok", "base_url", origin.url)


def _cookies(passwordless: Passwordless) -> Finding:
    name = passwordless.cookies.names.session.decode().removesuffix("=")
    if passwordless.origin.is_secure:
        return Finding("ok", "cookies", f"{name}: Secure, HttpOnly, SameSite=Lax, no other domain")
    return Finding("warn", "cookies", f"{name}: without Secure and __Host-, since base_url is http")


def _outbox(passwordless: Passwordless) -> Finding:
    if not isinstance(passwordless.mailer, Outbox):
        return Finding("ok", "mailer", type(passwordless.mailer).__name__)
    if not passwordless.origin.is_development:
        return Finding(
            "fail", "mailer", "Outbox sends nothing: nobody can sign in; set SMTPMailer(...)"
        )
    return Finding("warn", "mailer", "Outbox sends nothing; set SMTPMailer(...) for production")


def _memory(passwordless: Passwordless, workers: int) -> Finding:
    if not isinstance(passwordless.store, MemoryStore):
        return Finding("ok", "workers", f"{type(passwordless.store).__name__} serves any number")
    if workers > 1:
        return Finding(
            "fail",
            "workers",
            f"MemoryStore is not shared by {workers} processes: logins get lost between them; set "
            'database="sqlite:///pwless.db", or store=RedisStore(...) for several machines',
        )
    return Finding(
        "warn",
        "workers",
        "MemoryStore: right for exactly one process, and a restart signs everybody out; set "
        'database="sqlite:///pwless.db" to keep sessions, or store=RedisStore(...)',
    )


def _proxies(passwordless: Passwordless) -> Finding:
    if passwordless.clients.believes_proxies:
        return Finding(
            "ok", "proxies", "set; see that nobody reaches the app but through these proxies"
        )
    if passwordless.origin.is_development:
        return Finding("ok", "proxies", "none, as on one's own machine")
    return Finding(
        "warn",
        "proxies",
        "trusted_proxies is 0: right only if browsers reach this server directly. Behind a proxy "
        "all people count as one client and share its limits; set trusted_proxies=1",
    )


def _public(passwordless: Passwordless) -> Finding:
    if passwordless.gate.public.all:
        return Finding(
            "warn", "public", "'*' lets everybody reach every path; the app itself must refuse"
        )
    return Finding("ok", "public", "what is not listed needs a login")


def _check_routes(middleware: PasswordlessMiddleware) -> Finding:
    passwordless = middleware.passwordless
    shadowed = find_shadowed(middleware.app, prefix=passwordless.prefix, routes=passwordless.routes)
    if shadowed:
        return Finding("warn", "routes", "; ".join(shadowed))
    return Finding("ok", "routes", f"the app has none at our own paths below {passwordless.prefix}")


def _identity(passwordless: Passwordless) -> Finding:
    name = passwordless.identities.header
    if name is None:
        return Finding("ok", "identity", "request.state.user; no header is handed on")
    return Finding(
        "ok", "identity", f"header {name}; see that nobody reaches the app but through us"
    )

"""The checks that need nothing but the options, and the app around the middleware."""

from __future__ import annotations

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.discovery import Found
from pwless_middleware.middleware import PasswordlessMiddleware
from pwless_middleware.web.routing.shadowed import find_shadowed

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


def check_options(found: Found, *, workers: int) -> list[Finding]:
    """Check the options of one login.

    Args:
        found: which, and where it is mounted.
        workers: how many processes will serve it.
    """
    findings = found.middleware.passwordless.findings
    return [
        *findings.of_options(mount=found.mount, workers=workers),
        _check_routes(found.middleware),
    ]


def _check_routes(middleware: PasswordlessMiddleware) -> Finding:
    passwordless = middleware.passwordless
    shadowed = find_shadowed(middleware.app, prefix=passwordless.prefix, routes=passwordless.routes)
    if shadowed:
        return Finding("warn", "routes", "; ".join(shadowed))
    return Finding("ok", "routes", f"the app has none at our own paths below {passwordless.prefix}")

"""What can be said from the options alone."""

from __future__ import annotations

from collections.abc import Iterator

from pwless_middleware.cli.discovery import Found
from pwless_middleware.cli.findings import Finding
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.middleware import PasswordlessMiddleware
from pwless_middleware.passwordless import Passwordless
from pwless_middleware.stores.memory import MemoryStore
from pwless_middleware.web.shadowed import shadowed_routes, shadowing

RELEASED = 1_767_225_600
"""2026-01-01: no clock that is right is before this."""


def system_clock(now: int) -> Finding:
    """Judge the machine's clock; a wrong one lets sessions and mails live too long or too short.

    Args:
        now: unix seconds, as the machine has them.
    """
    if now < RELEASED:
        return Finding("fail", "clock", "this machine's clock is years behind: run an NTP client")
    return Finding("ok", "clock", "plausible")


def options_of(found: Found, *, workers: int) -> Iterator[Finding]:
    """Judge the options of one login.

    Args:
        found: which, and where it is mounted.
        workers: how many processes will serve it.
    """
    house = found.middleware.passwordless
    yield Finding("ok", "secret_key", "set, 32 bytes or more each")  # else it would not be here
    yield _base_url(house, found.mount)
    yield _cookies(house)
    yield _outbox(house)
    yield _memory(house, workers)
    yield _proxies(house)
    yield _public(house)
    yield _shadowed(found.middleware)
    yield _identity(house)


def _base_url(house: Passwordless, mount: str) -> Finding:
    origin = house.origin
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


def _cookies(house: Passwordless) -> Finding:
    name = house.cookies.names.session.decode().removesuffix("=")
    if house.origin.is_secure:
        return Finding("ok", "cookies", f"{name}: Secure, HttpOnly, SameSite=Lax, no other domain")
    return Finding("warn", "cookies", f"{name}: without Secure and __Host-, since base_url is http")


def _outbox(house: Passwordless) -> Finding:
    if not isinstance(house.mailer, Outbox):
        return Finding("ok", "mailer", type(house.mailer).__name__)
    if not house.origin.is_development:
        return Finding(
            "fail", "mailer", "Outbox sends nothing: nobody can sign in; set SMTPMailer(...)"
        )
    return Finding("warn", "mailer", "Outbox sends nothing; set SMTPMailer(...) for production")


def _memory(house: Passwordless, workers: int) -> Finding:
    if not isinstance(house.store, MemoryStore):
        return Finding("ok", "workers", f"{type(house.store).__name__} serves any number")
    if workers > 1:
        return Finding(
            "fail",
            "workers",
            f"MemoryStore is not shared by {workers} processes: logins get lost between them; set "
            "store=RedisStore(...)",
        )
    return Finding(
        "warn",
        "workers",
        "MemoryStore: right for exactly one process, and a restart signs everybody out; set "
        "store=RedisStore(...) to keep sessions",
    )


def _proxies(house: Passwordless) -> Finding:
    if house.clients.believes_proxies:
        return Finding(
            "ok", "proxies", "set; see that nobody reaches the app but through these proxies"
        )
    if house.origin.is_development:
        return Finding("ok", "proxies", "none, as on one's own machine")
    return Finding(
        "warn",
        "proxies",
        "trusted_proxies is 0: right only if browsers reach this server directly. Behind a proxy "
        "all people count as one client and share its limits; set trusted_proxies=1",
    )


def _public(house: Passwordless) -> Finding:
    if house.gate.is_open:
        return Finding(
            "warn", "public", "'*' lets everybody reach every path; the app itself must refuse"
        )
    return Finding("ok", "public", "what is not listed needs a login")


def _shadowed(middleware: PasswordlessMiddleware) -> Finding:
    house = middleware.passwordless
    paths = shadowed_routes(middleware.app, prefix=house.prefix, owns=house.routes.owns)
    if paths:
        return Finding("warn", "routes", shadowing(paths, house.prefix))
    return Finding("ok", "routes", f"the app has none at our own paths below {house.prefix}")


def _identity(house: Passwordless) -> Finding:
    name = house.identities.header
    if name is None:
        return Finding("ok", "identity", "request.state.user; no header is handed on")
    return Finding(
        "ok", "identity", f"header {name}; see that nobody reaches the app but through us"
    )

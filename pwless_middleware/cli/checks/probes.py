"""The checks that have to try: the login page, the store, the mail server, the live site.

Nothing here raises: whatever happens is a finding. Messages of our own errors are shown, since they
never hold a secret; of foreign exceptions only the kind is, since nobody knows what they hold.
"""

from __future__ import annotations

import asyncio
import email.message
import email.utils
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import cast

from starlette.types import ASGIApp
from starlette.types import Message as AsgiMessage

from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.core.paths import LOGIN_PATH
from pwless_middleware.delivery import dns_records
from pwless_middleware.delivery.base import Mailer, close_mailer
from pwless_middleware.delivery.fallback import FallbackMailer
from pwless_middleware.delivery.outbox import Outbox
from pwless_middleware.delivery.smtp.mailer import SMTPMailer
from pwless_middleware.discovery import Found
from pwless_middleware.errors import ConfigError, DeliveryError, StoreError
from pwless_middleware.passwordless import Passwordless
from pwless_middleware.stores.sql.store import SQLStore

PATIENCE = 15.0
"""Seconds for one probe; an SMTP operation alone may take 10."""
_PROXIES = (
    "nginx",
    "caddy",
    "cloudflare",
    "cloudfront",
    "apache",
    "envoy",
    "haproxy",
    "traefik",
    "openresty",
    "awselb",
    "akamai",
    "varnish",
    "fly/",
    "vercel",
)
"""How servers in front name themselves in `Server` or `Via`."""
NOT_YET = Finding(
    "skip", "login_page", "it reads the database: start the app once, and check again"
)
DRIFT = 60
"""Seconds between two clocks that are worth a warning: a fifth of a challenge's life."""


async def login_page(app: object, found: Found) -> Finding:
    """Ask the whole app, as its server would, for the login page."""
    passwordless = found.middleware.passwordless
    path = f"{found.mount}{passwordless.prefix}{LOGIN_PATH}"
    try:
        async with asyncio.timeout(PATIENCE):
            status = await _get(cast(ASGIApp, app), path, passwordless)
    except Exception as error:
        return Finding("fail", "login_page", f"{path}: the app raised {type(error).__name__}")
    if status != 200:
        return Finding("fail", "login_page", f"{path} answers {status}: something is in its way")
    return Finding("ok", "login_page", f"{path} answers")


async def _get(app: ASGIApp, path: str, passwordless: Passwordless) -> int | None:
    """GET a path in process; gives the status, `None` without an answer."""
    scheme, _, host = passwordless.origin.origin.partition("://")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": scheme,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", host.encode()), (b"accept", b"text/html")],
        "client": ("127.0.0.1", 1),
        "server": (host, 443),
    }
    statuses: list[int] = []

    async def receive() -> AsgiMessage:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0] if statuses else None


async def store(passwordless: Passwordless) -> Finding:
    """Reach the store, and see whether it takes writes."""
    if isinstance(passwordless.store, SQLStore):
        return Finding("ok", "store", "in the database")
    try:
        async with asyncio.timeout(PATIENCE):
            await passwordless.store.open()
            await passwordless.store.ping()
    except (StoreError, ConfigError) as error:
        return Finding("fail", "store", str(error))
    except Exception as error:
        return Finding("fail", "store", f"it raised {type(error).__name__}, not StoreError")
    finally:
        await passwordless.store.aclose()
    return Finding("ok", "store", f"{type(passwordless.store).__name__} answers")


async def mailers(passwordless: Passwordless) -> list[Finding]:
    """Connect and authenticate to every mail server; look up what their senders' domains say."""
    findings = []
    for mailer in _each(passwordless.mailer):
        findings.append(await _mailer(mailer))
        if isinstance(mailer, SMTPMailer):
            findings += await dns_records.find_records(mailer.sender_domain)
    await close_mailer(passwordless.mailer)
    return findings


def _each(mailer: Mailer) -> Iterator[Mailer]:
    if isinstance(mailer, FallbackMailer):
        for inner in mailer.mailers:
            yield from _each(inner)
    elif not isinstance(mailer, Outbox):
        yield mailer


async def _mailer(mailer: Mailer) -> Finding:
    check = getattr(mailer, "check", None)
    name = type(mailer).__name__
    if check is None:
        return Finding("skip", "mail_server", f"{name} has no check()")
    try:
        async with asyncio.timeout(3 * PATIENCE):
            await check()
    except DeliveryError as error:
        return Finding("fail", "mail_server", str(error))
    except Exception as error:
        return Finding("fail", "mail_server", f"{name}.check() raised {type(error).__name__}")
    return Finding("ok", "mail_server", f"{name} connects and signs in")


async def live(found: Found, url: str) -> list[Finding]:
    """Look at the live site as a browser finds it. A network that is not there is no failure.

    Args:
        found: the login whose page is asked for.
        url: the site's address, https, with the path of its `base_url` if it has one.
    """
    page = f"{url.rstrip('/')}{found.middleware.passwordless.prefix}{LOGIN_PATH}"
    try:
        status, headers = await asyncio.to_thread(_fetch, page)
    except (http.client.HTTPException, UnicodeError) as error:  # no HTTP there, or no such name
        return [Finding("skip", "live", f"{page} cannot be asked: {type(error).__name__}")]
    except OSError as error:
        reason = getattr(error, "reason", error)
        return [Finding("skip", "live", f"{page} cannot be reached from here: {reason}")]
    findings = [
        Finding("ok", "live", f"{page} answers")
        if status == 200
        else Finding("warn", "live", f"{page} answers {status}; is this the app?")
    ]
    if headers.get("strict-transport-security"):
        findings.append(Finding("ok", "hsts", "Strict-Transport-Security is sent"))
    else:
        findings.append(
            Finding(
                "warn",
                "hsts",
                "the site sends no Strict-Transport-Security: a first visit over http can be taken "
                "over (RFC 6797); have the proxy send it",
            )
        )
    named = headers.get("server", "").lower()
    is_proxied = "via" in headers or any(proxy in named for proxy in _PROXIES)
    if is_proxied and not found.middleware.passwordless.clients.believes_proxies:
        findings.append(
            Finding(
                "fail",
                "proxies",
                "the site answers through a proxy, but trusted_proxies is 0: all people count as "
                "one client and share its limits; set trusted_proxies=1",
            )
        )
    findings += _drift(headers.get("date"), time.time())
    return findings


def _fetch(url: str) -> tuple[int, Mapping[str, str]]:
    """GET an https URL; redirects are followed, as a browser would."""
    request = urllib.request.Request(url, headers={"accept": "text/html"})  # noqa: S310 # https
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 # as above
            return response.status, _lower(response.headers)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, _lower(answer.headers)


def _lower(headers: email.message.Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _drift(date: str | None, now: float) -> list[Finding]:
    """Compare the live server's clock with this machine's."""
    try:
        there = email.utils.parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return []
    seconds = abs(round(there - now))
    if seconds < DRIFT:
        return []
    return [Finding("warn", "clock", f"the live server's clock and ours are {seconds} s apart")]

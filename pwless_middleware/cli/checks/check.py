"""`check`: tell everything about an app's login that would go wrong in production.

It imports the app, finds the middleware, looks at its options, and tries what can be tried: the
mail server, the store, the login page, DNS, and with `--url` the live site. It sends no mail,
delivers nothing that waits in a queue, and prints no secret.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from pwless_middleware.cli.importing import UsageError, load
from pwless_middleware.core.operators.finding import Finding
from pwless_middleware.errors import ConfigError

if TYPE_CHECKING:
    from pwless_middleware.discovery import Found
    from pwless_middleware.passwordless import Passwordless


def add_to(commands: Any) -> None:
    """Add the command to the parser's."""
    parser = commands.add_parser(
        "check",
        help="tell what would go wrong in production",
        description=__doc__.partition("\n\n")[2],
        epilog="Exit code: 0 nothing failed, 1 something did, 2 the app cannot be looked at.",
    )
    parser.add_argument("app", metavar="module:app", help="the app, e.g. main:app")
    parser.add_argument("--factory", action="store_true", help="module:app makes the app")
    parser.add_argument(
        "--url", help="the live site, https://…: is it there, and does it send HSTS?"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.environ.get("WEB_CONCURRENCY", "1"),
        help="how many processes will serve it (default: $WEB_CONCURRENCY, or 1)",
    )
    parser.add_argument("--strict", action="store_true", help="a warning is a failure")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Look at everything, print the findings, and give the exit code.

    Raises:
        UsageError, AppFailed: there is nothing to look at.
    """
    if options.url is not None and not _is_site(options.url):
        raise UsageError("--url: give the https address of the live site")
    findings = _findings(options)
    failing = {"fail", "warn"} if options.strict else {"fail"}
    is_good = not any(finding.level in failing for finding in findings)
    if options.json:
        rows = [asdict(finding) for finding in findings]
        print(json.dumps({"ok": is_good, "findings": rows}, indent=2))
    else:
        for finding in findings:
            print(finding)
    return 0 if is_good else 1


def _is_site(url: str) -> bool:
    from pwless_middleware.web.routing.origin import Origin

    try:
        return Origin(url).is_secure
    except ConfigError:
        return False


def _findings(options: argparse.Namespace) -> list[Finding]:
    # Here and not above: `pwless secret` must not wait for the web framework.
    from pwless_middleware.discovery import find

    try:
        app = load(options.app, factory=options.factory)
        found = find(app)
    except ConfigError as error:
        return [Finding("fail", "options", str(error))]
    if not found:
        return [
            Finding(
                "fail",
                "middleware",
                f"there is no PasswordlessMiddleware in {options.app}: wrap the app in it, or name "
                "the object that your server serves",
            )
        ]
    return asyncio.run(_examine(app, found, options))


async def _of_features(passwordless: Passwordless, *, may_ask: bool) -> list[Finding]:
    from pwless_middleware.cli.checks.database_checks import PATIENCE

    try:
        async with asyncio.timeout(PATIENCE):
            return await passwordless.findings.of_features(may_ask=may_ask)
    except TimeoutError:
        return [Finding("skip", "features", "the database does not answer")]
    finally:
        if passwordless.database is not None:
            await passwordless.database.aclose()


async def _examine(app: object, found: list[Found], options: argparse.Namespace) -> list[Finding]:
    from pwless_middleware.cli.checks import (
        database_checks,
        option_checks,
        passkey_checks,
        probes,
        text_checks,
    )

    for one in found:
        one.middleware.passwordless.lifetime.serve_only()
    findings = [option_checks.check_clock(int(time.time()))]
    for one in found:
        in_database, is_ready = await database_checks.database(one.middleware.passwordless.database)
        about = [
            *option_checks.check_options(one, workers=options.workers),
            *in_database,
            *await _of_features(one.middleware.passwordless, may_ask=is_ready),
            *(await passkey_checks.ask_origins(one.middleware.passwordless) if options.url else ()),
            await probes.login_page(app, one) if is_ready else probes.NOT_YET,
            await probes.store(one.middleware.passwordless),
            *await probes.mailers(one.middleware.passwordless),
            *await text_checks.check_text_senders(one.middleware.passwordless),
        ]
        if options.url is not None:
            about += await probes.live(one, options.url)
        else:
            about.append(Finding("skip", "live", "give --url to look at the live site and HSTS"))
        prefix = one.middleware.passwordless.prefix if len(found) > 1 else ""
        findings += [replace(finding, prefix=one.mount + prefix) for finding in about]
    return findings

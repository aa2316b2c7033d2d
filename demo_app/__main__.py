"""Start the demo: `python -m demo_app`, then open http://localhost:8000."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from demo_app.app import OPERATOR, create_app, from_settings
from demo_app.sample_data import Clock, SampleMailer, make_sample_data
from demo_app.settings import Settings, SettingsError
from pwless_middleware import ConfigError, PasswordlessMiddleware
from pwless_middleware.cli.importing import UsageError
from pwless_middleware.cli.local_files import complete_database
from pwless_middleware.cli.serving import check_port
from pwless_middleware.web.routing.origin import is_local


def main() -> int:
    """Read options and environment, say where to look, and serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m demo_app", description=__doc__)
    parser.add_argument("--port", help="where to listen, 8000 if not set")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--sample-data",
        action="store_true",
        help="with a month of logins to look at, in a database of its own",
    )
    options = parser.parse_args()
    if options.port:
        # In the environment, where the workers read it again.
        os.environ["PWLESS_DEMO_PORT"] = options.port
    try:
        import uvicorn
    except ImportError:
        print("demo_app: the server is missing: pip install -e '.[demo]'", file=sys.stderr)
        return 2
    try:
        name = "pwless-demo-sample" if options.sample_data else "pwless-demo"
        said = complete_database(os.environ, name=name) if _is_local(os.environ) else []
        settings = Settings.read(os.environ)
        app = from_settings(settings)
        check_port(options.host, settings.port)
    except (SettingsError, ConfigError, UsageError) as error:
        print(f"demo_app: {error}", file=sys.stderr)
        return 2
    if options.sample_data:
        said += _make_sample_data(settings)
    print(f"Open {settings.base_url} (Ctrl+C stops it); the guide is at {settings.base_url}/guide")
    for line in said:
        print(line)
    if settings.is_key_fresh:
        print("PWLESS_SECRET_KEY is not set: a fresh key, so a restart signs everybody out.")
    several = settings.workers > 1
    if several and not settings.smtp_url:
        print("Each worker has a mailbox of its own: set PWLESS_SMTP_URL to see every email.")
    uvicorn.run(
        "demo_app.app:from_environment" if several else app,
        factory=several,
        workers=settings.workers,
        host=options.host,
        port=settings.port,
        # Whose address counts is the middleware's to decide (`trusted_proxies`).
        proxy_headers=False,
        log_level="warning",  # what to do next stands in the lines above
    )
    return 0


def _make_sample_data(settings: Settings) -> list[str]:
    """Fill the database, and return what there is to say of it."""
    print("Making a month of logins; this takes a minute, once ...", flush=True)

    def make_app(clock: Clock, mailer: SampleMailer) -> PasswordlessMiddleware:
        return create_app(
            secret_key=settings.secret_key,
            base_url=settings.base_url,
            mailer=mailer,
            database=settings.database_url,
            clock=clock,
        )

    logging.disable(logging.WARNING)  # what fails in a month, and is meant to
    try:
        is_new = asyncio.run(make_sample_data(make_app, base_url=settings.base_url))
    finally:
        logging.disable(logging.NOTSET)
    said = "is full of them" if is_new else "has people already, and is left as it is"
    return [f"the database {said}; sign in as {OPERATOR} to see {settings.base_url}/auth/dashboard"]


def _is_local(environ: Mapping[str, str]) -> bool:
    """Whether people open it on this machine: only there it keeps files that nobody asked for."""
    base_url = environ.get("PWLESS_BASE_URL")
    return not base_url or is_local(urlsplit(base_url).hostname or "")


if __name__ == "__main__":
    sys.exit(main())

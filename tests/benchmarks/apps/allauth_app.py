"""django-allauth, login by code, as an ASGI app: Django's sessions and users on a SQLite file.

Rate limits are off, and nothing is logged; its figures contain Django's own cost, which is part of
choosing it. One Django can be configured in a process, so this target is made once.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from starlette.types import ASGIApp

from tests.benchmarks.asgi import jar, post
from tests.benchmarks.targets import KEY, Catch, Place, Target

_FORM = b"application/x-www-form-urlencoded"
_CSRF = "a" * 32
CATCH = Catch()
SMTP_PORT = [0]


class Backend:
    """Django's end of the mailer: catch every mail, and hand it on where there is a mail server."""

    def __init__(self, **options: Any) -> None:
        from django.core.mail.backends.smtp import EmailBackend

        self._smtp = EmailBackend(host="127.0.0.1", port=SMTP_PORT[0]) if SMTP_PORT[0] else None

    def send_messages(self, messages: Sequence[Any]) -> int:
        """Send mails."""
        if self._smtp is not None:
            self._smtp.send_messages(messages)
        for message in messages:
            message.message().as_bytes()  # what a real one would send
            CATCH.take(message.to[0], message.body)
        return len(messages)


class Browser:
    """Sign in by the two forms."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def _post(self, path: str, fields: dict[str, str], cookie: bytes, client: str) -> bytes:
        body = urlencode({**fields, "csrfmiddlewaretoken": _CSRF}).encode()
        cookie = jar({b"csrftoken": _CSRF.encode()}) + (b"; " + cookie if cookie else b"")
        answer = await post(self._app, path, body, kind=_FORM, cookie=cookie, client=client)
        assert answer.status == 302, answer
        return b"sessionid=" + answer.cookies()[b"sessionid"]

    async def send(self, email: str, client: str) -> bytes:
        """Ask for the mail."""
        return await self._post("/accounts/login/code/", {"email": email}, b"", client)

    async def verify(self, brought: bytes, code: str, client: str) -> bytes:
        """Hand in the code."""
        return await self._post("/accounts/login/code/confirm/", {"code": code}, brought, client)


@cache
def _configured() -> Any:
    folder = Path(tempfile.mkdtemp(prefix="pwless-bench-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings.configure(
        SECRET_KEY=KEY,
        DEBUG=False,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        LOGGING_CONFIG=None,
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": str(folder / "db.sqlite3"),
                "CONN_MAX_AGE": None,
                "OPTIONS": {
                    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
                    "transaction_mode": "IMMEDIATE",
                },
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
        EMAIL_BACKEND=f"{__name__}.Backend",
        ACCOUNT_LOGIN_METHODS={"email"},
        ACCOUNT_SIGNUP_FIELDS=["email*"],
        ACCOUNT_EMAIL_VERIFICATION="none",
        ACCOUNT_LOGIN_BY_CODE_ENABLED=True,
        ACCOUNT_RATE_LIMITS=False,
        LOGIN_REDIRECT_URL="/",
    )
    django.setup()
    from django.core.asgi import get_asgi_application
    from django.core.management import call_command
    from django.http import HttpResponse
    from django.urls import include, path

    def site(request: Any) -> Any:
        user = request.user
        return HttpResponse(user.email if user.is_authenticated else "nobody")

    globals()["urlpatterns"] = [path("", site), path("accounts/", include("allauth.urls"))]
    # Django refuses to ask a database on a thread that runs an event loop.
    migration = Thread(target=call_command, args=["migrate"], kwargs={"verbosity": 0})
    migration.start()
    migration.join()
    return get_asgi_application()


def allauth(place: Place) -> Target:
    """Make the app."""
    SMTP_PORT[0] = place.smtp_port
    app: ASGIApp = _configured()
    login = Browser(app)

    def make_users(emails: list[str]) -> None:
        from allauth.account.models import EmailAddress
        from django.contrib.auth.models import User

        users = User.objects.bulk_create([User(username=e, email=e, password="") for e in emails])
        EmailAddress.objects.bulk_create(
            [EmailAddress(user=u, email=u.email, verified=True, primary=True) for u in users]
        )

    async def prepare(emails: list[str]) -> None:
        await sync_to_async(make_users)(emails)

    async def sign_in(email: str) -> bytes:
        await prepare([email])
        brought = await login.send(email, "127.0.0.1")
        return await login.verify(brought, CATCH.code(email), "127.0.0.1")

    return Target(app, sign_in, login, CATCH, prepare=prepare)
